"""The rehearsal's shop: a till that asks about each order, as any shop's does, and books what it was told. At its
counter a year can be paid, which staff record.

It knows the programme as a person who wrote it down does: what alterations cost the shop, and that of what is taken
off an order the shop bears all.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.test import Client

from billing import offline
from billing.rehearsal.at_stripe import Life, Period
from membership import calendar, clock
from membership.models import Member, Price
from perks import keys

if TYPE_CHECKING:
    import random

COSTS = {"alterations": 1400}  # programmes/laurel.toml, EUR; what takes something off costs what it takes
ASKED = ("free-shipping", "standing-discount", "alterations")
GOODS, DELIVERY = (1290, 2495, 12900), 495
A_YEAR = {"bronze-year": 2900, "silver-year": 5900, "gold-year": 11900}  # the same, EUR


class Use(NamedTuple):
    """One use of a perk, less what came back of it. Minor units of EUR."""

    perk: str
    member: str
    at: datetime
    worth: int
    cost: int


class Paid(NamedTuple):
    """A first year that was paid at the counter. Minor units of EUR."""

    plan: str
    at: datetime

    @property
    def on(self) -> date:
        return self.at.astimezone(ZoneInfo(settings.VIP_HOME_ZONE)).date()

    @property
    def amount(self) -> int:
        return A_YEAR[self.plan]

    @property
    def life(self) -> Life:
        """As Stripe would tell of it, had it been paid there: one year, and nothing after it."""
        year = Period(self.at, calendar.anniversary(self.at, "year", 1))
        return Life(
            customer="",
            currency="EUR",
            product=f"vip-{self.plan.partition('-')[0]}",
            contested=False,
            joined_at=self.at,
            periods=(year,),
            given=frozenset(),
            charging=False,
            paused=False,
            canceled_at=None,
            ended_at=year.ends_at,
            next_charge=0,
        )


@dataclass
class Till:
    """`book`: the uses of each order that was paid, as the shop was told them; by the redemption. `counter`: the years
    that were paid there."""

    book: dict[str, list[Use]] = field(default_factory=dict)
    counter: list[Paid] = field(default_factory=list)
    _key: str = ""
    _asked: int = 0  # calls so far

    @property
    def uses(self) -> list[Use]:
        return [use for order in self.book.values() for use in order]

    def sells(self, member: str, dice: random.Random) -> None:
        """An order of one line to three: what the check says yes to is held and, once paid, committed."""
        lines = [
            {"id": str(n), "sku": f"SKU-{n}", "quantity": dice.randint(1, 3), "unit_amount": dice.choice(GOODS)}
            for n in range(1, dice.randint(2, 4))
        ]
        delivery = {"country": "NL", "method": "standard", "amount": DELIVERY}
        basket = {"currency": "EUR", "lines": lines, "shipping": delivery}
        check = self._asks("perk-checks", {"member": {"number": member}, "basket": basket, "perks": list(ASKED)})
        allowed = [one["perk"] for one in check["decisions"] if one["allowed"]]
        if not allowed:
            return  # the shopper pays in full
        held = self._asks("redemptions", {"check": check["id"], "order": f"R{self._asked}", "perks": allowed})
        self._books(self._asks(f"redemptions/{held['id']}/commit", {}), member)

    def takes_back(self, member: str, dice: random.Random) -> None:
        """Of the member's newest order with a perk, if there is one: everything, or one piece."""
        orders = [one for one, uses in self.book.items() if any(use.member == member for use in uses)]
        if not orders:
            return
        # A fixed worth that comes back in part is rounded, and its cost by itself: the shop is not told how.
        fixed = any(use.perk in COSTS for use in self.book[orders[-1]])
        everything = fixed or dice.random() < 1 / 3
        back = {} if everything else {"lines": [{"id": "1", "quantity": 1}]}
        self._books(self._asks(f"redemptions/{orders[-1]}/return", back), member)

    def takes_a_year(self, member: Member, plan: str) -> None:
        """Money over the counter for a first year, which staff record as the console's form does."""
        paid, at = Paid(plan, clock.now()), clock.now()
        offline.record(
            member=member,
            price=Price.objects.get(plan__code=plan, currency="EUR", retired_at=None),
            means="counter",
            reference=f"COUNTER-{len(self.counter) + 1}",
            paid_on=paid.on,
            behind=None,
            at=at,
            actor="rehearsal",
        )
        self.counter.append(paid)

    def _books(self, told: dict[str, Any], member: str) -> None:
        self.book[told["id"]] = [
            Use(
                one["perk"],
                member,
                datetime.fromisoformat(told["committed_at"]),
                one["worth"],
                COSTS.get(one["perk"], one["worth"]),
            )
            for one in told["perks"]
            if one["status"] == "committed"
        ]

    def _asks(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        if not self._key:
            scopes = ("perks:check", "perks:redeem")
            self._key = keys.create(shop_name="Rehearsal", scopes=scopes, at=clock.now(), actor="rehearsal")
        self._asked += 1
        headers = {
            "host": urlsplit(settings.BASE_URL).netloc,
            "authorization": f"Bearer {self._key}",
            "idempotency-key": f"rehearsal-{self._asked}",
        }
        answer = Client().post(f"/api/v1/{path}", json.dumps(body), content_type="application/json", headers=headers)
        assert answer.status_code in (200, 201), (path, answer.status_code, answer.content)
        told: dict[str, Any] = answer.json()
        return told
