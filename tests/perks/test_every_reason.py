"""Every reason that a perk check can give, in one table: what makes it so, asked through the door."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest

from membership import birthdays, lifecycle
from perks import fresh, sentences
from perks.models import Event, TierPerk
from tests import factories
from tests.perks.conftest import basket, number

SOME_SHIPPING = {"country": "NL", "method": "standard", "amount": 495}


@dataclass
class Scene:
    """A shop, and a way to make members."""

    shop: Any
    joined: Any
    clock: Any

    def says(self, perk: str, who: Any, **changes: Any) -> str:
        named = who if isinstance(who, dict) else number(who)
        return self.shop.reason(perk, member=named, basket=basket(**changes))

    def sells(self, perk: str, **settings: Any) -> None:
        """What gold is sold from now on."""
        sold = TierPerk.objects.get(tier__code="gold", perk__code=perk)
        TierPerk.objects.filter(pk=sold.pk).update(settings={**sold.settings, **settings})

    def gold(self) -> Any:
        return self.joined("gold-year")

    @property
    def at(self) -> Any:
        return self.clock.now

    def in_the_sale(self) -> dict[str, Any]:
        line = {"id": "1", "sku": "KNIT-7", "quantity": 1, "unit_amount": 5900, "sale": "winter-sale"}
        return {"lines": [line]}

    # --- one method a reason

    def granted(self):
        return self.says("free-shipping", self.gold())

    def unknown_member(self):
        return self.says("free-shipping", {"number": "1234567890"})

    def email_unconfirmed(self):
        return self.says("free-shipping", {"email": self.gold().member.user.email})

    def not_a_member(self):
        return self.says("free-shipping", {"number": factories.member().number})

    def unknown_perk(self):
        return self.says("fortune-telling", self.gold())

    def not_in_tier(self):
        return self.says("standing-discount", self.joined("silver-year"))

    def membership_pending(self):
        who, plan = factories.member(), factories.plan("gold-year")
        lifecycle.reserve(member=who, plan=plan, currency="EUR", at=self.at, actor="system")
        return self.says("free-shipping", {"number": who.number})

    def membership_lapsed(self):
        membership = self.gold()
        self.clock.move(days=400)
        return self.says("free-shipping", membership)

    def membership_paused(self):
        membership = self.gold()
        lifecycle.pause(membership=membership, until=self.at + timedelta(days=9), at=self.at, actor="member:1")
        return self.says("free-shipping", membership)

    def membership_suspended(self):
        membership = self.gold()
        lifecycle.suspend(membership=membership, source="staff", source_ref="x", at=self.at, actor="staff:1")
        return self.says("free-shipping", membership)

    def membership_ended(self):
        membership = self.gold()
        lifecycle.end(membership=membership, reason="refunded", at=self.at, actor="staff:1")
        return self.says("free-shipping", membership)

    def payment_overdue(self):
        membership = self.gold()
        self.clock.move(days=368)
        return self.says("concierge", membership)

    def used_up(self):
        self.sells("concierge", allowance={"uses": 1})
        membership = self.gold()
        check = self.shop.check(member=number(membership), basket=basket(), perks=["concierge"])
        self.shop.hold(check, "concierge")
        return self.says("concierge", membership)

    def below_minimum(self):
        self.sells("free-shipping", minimum_basket={"EUR": 12901})
        return self.says("free-shipping", self.gold())

    def country_excluded(self):
        return self.says("free-shipping", self.gold(), shipping={**SOME_SHIPPING, "country": "BR"})

    def method_excluded(self):
        return self.says("free-shipping", self.gold(), shipping={**SOME_SHIPPING, "method": "drone"})

    def item_excluded(self):
        self.sells("standing-discount", excluded_categories=["coats"])
        return self.says("standing-discount", self.gold())

    def nothing_eligible(self):
        return self.says("free-shipping", self.gold(), shipping=None)

    def not_open_yet(self):
        return self.says("early-access", self.joined("silver-year"), **self.in_the_sale())

    def closed(self):
        membership = self.gold()
        self.clock.move(days=30)
        return self.says("early-access", membership, **self.in_the_sale())

    def birthday_unknown(self):
        return self.says("birthday-gift", self.gold())

    def outside_window(self):
        membership = self.gold()
        who = {"member": membership.member, "birthday": date(1990, 8, 1)}
        birthdays.tell(**who, at=self.at, actor="member:1")
        return self.says("birthday-gift", membership)

    def full(self):
        hour = timedelta(hours=1)
        dates = {"booking_opens_at": self.at - hour, "booking_closes_at": self.at + hour, "starts_at": self.at + hour}
        Event.objects.create(code="dyeing", names={"en": "Dyeing"}, places=1, **dates)
        fresh.forget_all()
        seat = {"lines": [{"id": "1", "sku": "dyeing", "quantity": 1, "unit_amount": 0}]}
        ada, bob = self.gold(), self.gold()
        check = self.shop.check(member=number(ada), basket=basket(**seat), perks=["workshops"])
        self.shop.hold(check, "workshops")
        fresh.forget_all()
        return self.says("workshops", bob, **seat)

    def not_stackable(self):
        self.sells("standing-discount", stacking="not_with_other_discounts")
        return self.says("standing-discount", self.gold(), discounts=[{"code": "SPRING", "amount": 500}])

    def currency_mismatch(self):
        return self.says("free-shipping", self.gold(), currency="CHF")


@pytest.mark.parametrize("reason", [sentences.GRANTED, *sentences.REFUSALS])
def test_every_reason_is_reached_by_a_shop(reason, shop, joined, clock):
    assert getattr(Scene(shop, joined, clock), reason)() == reason
