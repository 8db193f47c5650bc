"""The standing cast at the perk API: the programme of the demo, a shop with its key, and members who lived a little."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from membership import lifecycle
from membership.signals import membership_changed
from perks import keys, programme
from perks.models import Grant
from tests import factories

if TYPE_CHECKING:
    from django.http import HttpResponse
    from django.test import Client

    from membership.models import Member, Membership
    from tests.moment import Clock


@pytest.fixture
def laurel(db: None, clock: Clock) -> None:
    """The demo's programme, loaded at the clock's moment."""
    programme.load(programme=programme.read("laurel"), at=clock.now)


@pytest.fixture
def joined(laurel: None, clock: Clock):
    """Join somebody: joined("gold-year") -> membership with one paid term from now on."""
    count = 0

    def join(plan: str = "gold-year", *, member: Member | None = None) -> Membership:
        nonlocal count
        count += 1
        at = clock.now
        who = member or factories.member(at=at)
        wanted = factories.plan(plan)
        membership = lifecycle.reserve(member=who, plan=wanted, currency="EUR", at=at, actor="system")
        lifecycle.add_term(
            membership=membership,
            source="paid",
            source_ref=f"in_{who.pk}_{count}",
            plan=wanted,
            at=at,
            actor="stripe",
        )
        membership.refresh_from_db()
        return membership

    return join


class Shop:
    """A shop's checkout: asks over HTTP with its key, through Django's whole chain."""

    def __init__(self, client: Client, key: str) -> None:
        self.client, self.key = client, key
        self.keys = itertools.count(1)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> HttpResponse:
        given = {"Authorization": f"Bearer {self.key}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        data = body if isinstance(body, (bytes, str)) else orjson.dumps(body) if body is not None else b""
        return self.client.generic(method, f"/api/v1{path}", data, content_type="application/json", headers=given)

    def check(self, **question: Any) -> Any:
        response = self.call("POST", "/perk-checks", question)
        assert response.status_code == 200, response.content
        return response.json()

    def reason(self, perk: str, **question: Any) -> str:
        (decision,) = self.check(perks=[perk], **question)["decisions"]
        return decision["reason"]

    def ask_to_hold(self, check: Any, *perks: str, key: str = "", order: str = "1001", **body: Any) -> HttpResponse:
        asked = {"check": check["id"], "order": order, "perks": perks, **body}
        return self.call("POST", "/redemptions", asked, Idempotency_Key=key or f"key-{next(self.keys)}")

    def hold(self, check: Any, *perks: str, **asked: Any) -> Any:
        return self.done(self.ask_to_hold(check, *perks, **asked))

    def commit(self, held: Any) -> Any:
        return self.done(self.call("POST", f"/redemptions/{held['id']}/commit"))

    def release(self, held: Any) -> Any:
        return self.done(self.call("POST", f"/redemptions/{held['id']}/release"))

    def ask_to_return(self, held: Any, key: str = "", **lines: int) -> HttpResponse:
        """Pieces by line: ask_to_return(held, a=1); of the whole order: ask_to_return(held)."""
        body = {"lines": [{"id": line, "quantity": n} for line, n in lines.items()]} if lines else {}
        key = key or f"key-{next(self.keys)}"
        return self.call("POST", f"/redemptions/{held['id']}/return", body, Idempotency_Key=key)

    def give_back(self, held: Any, **lines: int) -> Any:
        return self.done(self.ask_to_return(held, **lines))

    def read(self, held: Any) -> Any:
        return self.done(self.call("GET", f"/redemptions/{held['id']}"))

    @staticmethod
    def done(response: HttpResponse) -> Any:
        assert response.status_code == 200, response.content
        return response.json()


def basket(**changes: Any) -> dict[str, Any]:
    """The example of the documentation."""
    line = {"id": "1", "sku": "COAT-9", "quantity": 1, "unit_amount": 12900, "categories": ["coats"]}
    shipping = {"country": "NL", "method": "standard", "amount": 495}
    return {"currency": "EUR", "lines": [line], "shipping": shipping, **changes}


def number(membership: Membership) -> dict[str, str]:
    """The question's `member`, named by the number on the card."""
    return {"number": membership.member.number}


@pytest.fixture
def shop(db: None, clock: Clock, client: Client) -> Shop:
    """A shop with a key for everything."""
    key = keys.create(shop_name="Loden & Sons", scopes=list(keys.SCOPES), at=clock.now, actor="test")
    return Shop(client, key)


@pytest.fixture
def two_uses(laurel, joined, clock):
    """A gold member whose concierge may be asked twice in the term."""
    membership = joined()
    grant = Grant.objects.get(membership=membership, perk__code="concierge", term__isnull=False)
    grant.settings = {**grant.settings, "allowance": {"uses": 2, "every": "term", "carry_over": False}}
    grant.save()
    membership_changed.send(sender=type(membership), membership=membership, at=clock.now)
    return membership
