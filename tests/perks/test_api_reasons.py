"""Every reason of POST /perk-checks through the door, with the programme of the demo or a small change to it."""

from datetime import timedelta

import pytest

from membership import lifecycle
from membership.signals import membership_changed
from perks import sentences
from perks.models import Grant, TierPerk
from perks.schemas import Reason
from tests import factories
from tests.perks.conftest import basket, number


def test_the_schema_lists_every_reason_that_has_a_sentence():
    (known,) = [part for part in Reason.__metadata__ if part.json_schema_extra]
    assert sorted(known.json_schema_extra["x-known-values"]) == sorted(["granted", *sentences.REFUSALS])


class TestReasons:
    """Each through the door, with the programme of the demo or a small change to it."""

    @pytest.mark.parametrize(
        ("perk", "changes", "expected"),
        [
            ("free-shipping", {}, "granted"),
            ("free-shipping", {"shipping": None}, "nothing_eligible"),
            ("free-shipping", {"shipping": {"country": "BR", "method": "standard", "amount": 1}}, "country_excluded"),
            ("free-shipping", {"shipping": {"country": "NL", "method": "drone", "amount": 1}}, "method_excluded"),
            ("free-shipping", {"currency": "CHF"}, "currency_mismatch"),
            ("standing-discount", {"currency": "CHF"}, "currency_mismatch"),
            ("standing-discount", {"lines": []}, "nothing_eligible"),
            ("early-access", {}, "granted"),
            ("concierge", {}, "granted"),
            ("fortune-telling", {}, "unknown_perk"),
        ],
    )
    def test_that_follow_from_the_basket(self, shop, joined, perk, changes, expected):
        assert shop.reason(perk, member=number(joined()), basket=basket(**changes)) == expected

    @pytest.mark.parametrize(
        ("perk", "settings", "asked", "expected"),
        [
            ("free-shipping", {"minimum_basket": {"EUR": 20000}}, basket(), "below_minimum"),
            ("standing-discount", {"excluded_categories": ["coats"]}, basket(), "item_excluded"),
            (
                "standing-discount",
                {"stacking": "not_with_other_discounts"},
                basket(discounts=[{"code": "SPRING", "amount": 500}]),
                "not_stackable",
            ),
        ],
    )
    def test_that_follow_from_the_perks_own_rules(self, shop, laurel, joined, perk, settings, asked, expected):
        sold = TierPerk.objects.get(tier__code="gold", perk__code=perk)
        sold.settings = {**sold.settings, **settings}
        sold.save()
        assert shop.reason(perk, member=number(joined()), basket=asked) == expected

    @pytest.mark.parametrize(
        ("hours", "expected"), [(0, "not_open_yet"), (11, "not_open_yet"), (12, "granted"), (36 + 21 * 24, "closed")]
    )
    def test_that_follow_from_a_sales_dates(self, shop, joined, clock, hours, expected):
        membership = joined("silver-year")
        line = {"id": "1", "sku": "A", "quantity": 1, "unit_amount": 100, "sale": "winter-sale"}
        clock.move(hours=hours)
        assert shop.reason("early-access", member=number(membership), basket=basket(lines=[line])) == expected

    def test_of_somebody_unknown_and_of_somebody_without_membership(self, shop, laurel):
        assert shop.reason("free-shipping", member={"number": "1234567890"}) == "unknown_member"
        assert shop.reason("free-shipping", member={"number": "not a number"}) == "unknown_member"
        assert shop.reason("free-shipping", member={"number": factories.member().number}) == "not_a_member"

    def test_of_somebody_who_has_not_paid_yet_and_of_one_who_never_did(self, shop, laurel, clock):
        who, plan, at = factories.member(), factories.plan("gold-year"), clock.now
        membership = lifecycle.reserve(member=who, plan=plan, currency="EUR", at=at, actor="system")
        assert shop.reason("free-shipping", member={"number": who.number}) == "membership_pending"
        lifecycle.end(membership=membership, reason="expired", at=at, actor="system")
        assert shop.reason("free-shipping", member={"number": who.number}) == "not_a_member"

    def test_of_a_membership_that_is_stopped_paused_ended_or_over(self, shop, joined, clock):
        stopped, paused, ended, over = (joined() for _ in range(4))
        at, by = clock.now, "staff:1"
        lifecycle.suspend(membership=stopped, source="staff", source_ref="x", at=at, actor=by)
        lifecycle.pause(membership=paused, until=at + timedelta(days=5), at=at, actor=by)
        lifecycle.end(membership=ended, reason="refunded", at=at, actor=by)
        assert shop.reason("free-shipping", member=number(stopped), basket=basket()) == "membership_suspended"
        assert shop.reason("free-shipping", member=number(paused), basket=basket()) == "membership_paused"
        assert shop.reason("free-shipping", member=number(ended), basket=basket()) == "membership_ended"
        clock.move(days=400)
        assert shop.reason("free-shipping", member=number(over), basket=basket()) == "membership_lapsed"

    def test_in_grace_perks_go_on_or_stop_as_they_were_sold(self, shop, joined, clock):
        membership = joined()
        clock.move(days=368)
        answer = shop.check(member=number(membership), basket=basket())
        assert answer["member"]["standing"] == "grace"
        reasons = {d["perk"]: d["reason"] for d in answer["decisions"]}
        assert (reasons["free-shipping"], reasons["concierge"]) == ("granted", "payment_overdue")

    def test_of_a_perk_used_up(self, shop, joined, clock):
        membership = joined()
        Grant.objects.filter(perk__code="concierge", term__isnull=False).update(
            settings={**Grant.objects.filter(perk__code="concierge").first().settings, "allowance": {"uses": 1}}
        )
        membership_changed.send(sender=type(membership), membership=membership, at=clock.now)
        shop.hold(shop.check(member=number(membership), perks=["concierge"]), "concierge")
        (decision,) = shop.check(member=number(membership), perks=["concierge"])["decisions"]
        assert (decision["reason"], decision["uses_left"]) == ("used_up", 0)
