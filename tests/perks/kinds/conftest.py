"""One perk of a kind, sold to Ada, and asked about over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from membership.models import Tier
from membership.signals import membership_changed
from perks import entitlements, kinds, slots
from perks.models import ApiKey, Grant, Perk, Redemption, TierPerk
from tests.perks.conftest import number

if TYPE_CHECKING:
    from membership.models import Membership
    from tests.moment import Clock
    from tests.perks.conftest import Shop


class Sold:
    """A perk that Ada, gold and current, holds: what the shop hears about it."""

    def __init__(self, shop: Shop, clock: Clock, membership: Membership, perk: str) -> None:
        self.shop, self.clock, self.membership, self.perk = shop, clock, membership, perk

    def decision(self, basket: dict[str, Any] | None = None, **headers: str) -> dict[str, Any]:
        asked = {"member": number(self.membership), "perks": [self.perk]}
        response = self.shop.call("POST", "/perk-checks", asked | ({"basket": basket} if basket else {}), **headers)
        assert response.status_code == 200, response.content
        answer = response.json()
        return {**answer["decisions"][0], "valid_until": answer["valid_until"], "totals": answer["totals"]}

    def reason(self, basket: dict[str, Any] | None = None) -> str:
        return str(self.decision(basket)["reason"])

    def portal(self) -> dict[str, Any]:
        """The perk as GET /members/{number} tells it."""
        told = self.shop.call("GET", f"/members/{self.membership.member.number}").json()
        (held,) = [perk for perk in told["perks"] if perk["perk"] == self.perk]
        return held

    def use(self, period: str = "term") -> None:
        """One use is on record."""
        grant = Grant.objects.filter(perk__code=self.perk, term__isnull=False).latest("pk")
        member, at = self.membership.member, self.clock.now
        name = slots.draws_on(grant, period=period, member=member.pk) if grant.settings["allowance"] else ""
        count = Redemption.objects.filter(draws_on=name, period=period).count()
        grant.redemptions.create(
            ident=f"red_{count}",
            member=member,
            shop=ApiKey.objects.get().shop,
            status="committed",
            draws_on=name,
            period=period,
            slot=count + 1 if name else None,
            allowance=count + 1 if name else None,
            idempotency_key=f"k{count}",
            request_hash="h",
            order_ref="o",
            currency="EUR",
            held_at=at,
            expires_at=at,
            committed_at=at,
        )
        entitlements.rebuild_all(membership=self.membership, at=at)

    def announce(self) -> None:
        """Something about the membership changed."""
        membership_changed.send(sender=type(self.membership), membership=self.membership, at=self.clock.now)


@pytest.fixture
def sold(shop: Shop, laurel: None, joined: Any, clock: Clock):
    """sold("service", {...}) -> Sold; the settings are checked as staff's are."""

    def sell(kind: str, settings: dict[str, Any], code: str = "the-perk") -> Sold:
        kinds.check(kind, settings)
        perk = Perk.objects.create(code=code, kind=kind, names={"en": "The perk"}, settings=settings)
        TierPerk.objects.create(tier=Tier.objects.get(code="gold"), perk=perk)
        return Sold(shop, clock, joined("gold-year"), code)

    return sell
