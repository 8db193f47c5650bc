"""One perk of a kind, sold to Ada, and asked about over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from membership.models import Tier
from perks import kinds
from perks.models import Perk, TierPerk
from tests.perks.conftest import number

if TYPE_CHECKING:
    from membership.models import Membership
    from tests.moment import Clock
    from tests.perks.conftest import Shop


class Sold:
    """A perk that Ada, gold and current, holds: what the shop hears about it."""

    def __init__(self, shop: Shop, clock: Clock, membership: Membership, perk: str) -> None:
        self.shop, self.clock, self.membership, self.perk = shop, clock, membership, perk
        self.uses = 0

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

    def use(self, basket: dict[str, Any] | None = None) -> dict[str, Any]:
        """An order uses it: checked, held, committed. Returns the redemption."""
        self.uses += 1
        question = {"member": number(self.membership), "perks": [self.perk]} | ({"basket": basket} if basket else {})
        name = f"{self.perk}-{self.uses}"
        held = self.shop.hold(self.shop.check(**question), self.perk, key=name, order=name)
        committed: dict[str, Any] = self.shop.commit(held)
        return committed


@pytest.fixture
def sold(shop: Shop, laurel: None, joined: Any, clock: Clock):
    """sold("service", {...}) -> Sold; the settings are checked as staff's are."""

    def sell(kind: str, settings: dict[str, Any], code: str = "the-perk") -> Sold:
        kinds.check(kind, settings)
        perk = Perk.objects.create(code=code, kind=kind, names={"en": "The perk"}, settings=settings)
        TierPerk.objects.create(tier=Tier.objects.get(code="gold"), perk=perk)
        return Sold(shop, clock, joined("gold-year"), code)

    return sell
