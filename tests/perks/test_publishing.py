"""A change of the catalogue: at renewal for everybody, or at once where it takes nothing from anybody."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from membership import lifecycle
from membership.models import AuditEntry, Tier
from perks import improvement, kinds, publishing
from perks.models import Perk, TierPerk
from tests.invariants import breached
from tests.perks.conftest import basket, number


def offer(perk, tier="gold", **settings):
    """The catalogue changes."""
    offered, _ = TierPerk.objects.get_or_create(tier=Tier.objects.get(code=tier), perk=Perk.objects.get(code=perk))
    offered.settings = {**offered.settings, **settings}
    offered.save()


def publish(perk, tier="gold", *args):
    out = StringIO()
    call_command("publish_perk", perk, tier, "--actor", "staff:3", *(args or ("--yes",)), stdout=out)
    return out.getvalue()


def payable(shop, membership):
    return shop.check(member=number(membership), basket=basket(), perks=["standing-discount"])["totals"]["payable"]


def renew(membership, clock):
    lifecycle.add_term(
        membership=membership, source="paid", source_ref="again", plan=membership.plan, at=clock.now, actor="stripe"
    )


class TestAChangeOfTheCatalogue:
    @pytest.mark.parametrize(("percent", "later"), [("10", 12900 + 495 - 1290), ("1", 12900 + 495 - 129)])
    def test_reaches_a_member_at_renewal_and_not_before(self, shop, joined, clock, percent, later):
        membership = joined("gold-year")
        sold = payable(shop, membership)
        offer("standing-discount", percent=percent)
        clock.move(days=364)
        assert payable(shop, membership) == sold == 12900 + 495 - 645
        clock.move(days=2)
        renew(membership, clock)
        assert payable(shop, membership) == later

    def test_is_published_for_everyone_now_if_it_is_better(self, shop, joined):
        members = [joined("gold-year"), joined("gold-year")]
        offer("standing-discount", percent="10")
        assert publish("standing-discount") == "better for 2, new for 0, as before for 0\n"
        assert [payable(shop, m) for m in members] == [12900 + 495 - 1290] * 2
        assert publish("standing-discount") == "better for 0, new for 0, as before for 2\n"
        assert AuditEntry.objects.filter(verb="publish_perk").count() == 2
        assert "I4" not in breached()

    def test_counts_uses_on(self, shop, joined):
        membership = joined("gold-year")
        check = shop.check(member=number(membership), perks=["alterations"])
        shop.commit(shop.hold(check, "alterations"))
        offer("alterations", allowance={"uses": 5, "every": "term"})
        publish("alterations")
        (decision,) = shop.check(member=number(membership), perks=["alterations"])["decisions"]
        assert decision["uses_left"] == 4

    def test_brings_a_perk_that_the_tier_did_not_carry(self, shop, joined):
        membership = joined("bronze-year")
        offer("returns", "bronze", days=30)
        assert publish("returns", "bronze") == "better for 0, new for 1, as before for 0\n"
        assert shop.reason("returns", member=number(membership)) == "granted"

    def test_that_takes_anything_from_anybody_is_refused_and_changes_nothing(self, shop, joined):
        membership = joined("gold-year")
        offer("standing-discount", percent="10", not_on_sale=True)
        with pytest.raises(CommandError, match=r"1 memberships: “Not for goods in a sale”.*takes_away"):
            publish("standing-discount")
        assert payable(shop, membership) == 12900 + 495 - 645

    def test_is_shown_first(self, shop, joined):
        membership = joined("gold-year")
        offer("standing-discount", percent="10")
        said = call_command("publish_perk", "standing-discount", "gold", stdout=(out := StringIO()))
        assert (said, "Nothing is done yet" in out.getvalue()) == (None, True)
        assert payable(shop, membership) == 12900 + 495 - 645

    def test_of_a_perk_that_is_not_offered_is_refused(self, laurel):
        with pytest.raises(CommandError, match="not_offered"):
            publish("concierge", "bronze")


ALLOWANCE = {"uses": 2, "every": "year"}


class TestBetter:
    @pytest.mark.parametrize(
        ("kind", "before", "after", "worse"),
        [
            ("free_shipping", {}, {"countries": ["NL"]}, ["Countries"]),
            ("free_shipping", {"countries": ["NL"]}, {"countries": ["NL", "DE"]}, []),
            ("free_shipping", {"countries": ["NL"]}, {}, []),
            ("free_shipping", {"minimum_basket": {"EUR": 500}}, {"minimum_basket": {"EUR": 499}}, []),
            ("free_shipping", {"minimum_basket": {"EUR": 500}}, {}, []),
            ("free_shipping", {}, {"minimum_basket": {"EUR": 1}}, ["Minimum basket"]),
            (
                "free_shipping",
                {"minimum_basket": {"EUR": 5, "USD": 5}},
                {"minimum_basket": {"EUR": 1}},
                ["Minimum basket"],
            ),
            ("free_shipping", {"maximum": {"EUR": 500}}, {"maximum": {"EUR": 600}}, []),
            ("free_shipping", {}, {"maximum": {"EUR": 600}}, ["At most off one delivery"]),
            ("free_shipping", {"in_grace": "stop"}, {"in_grace": "keep"}, []),
            ("free_shipping", {"in_grace": "keep"}, {"in_grace": "finish"}, ["While a renewal is unpaid"]),
            ("free_shipping", {"stacking": "not_with_other_discounts"}, {}, []),
            ("free_shipping", {}, {"stacking": "not_with_other_discounts"}, ["Together with other discounts"]),
            ("free_shipping", {}, {"worth": {"share": 50}}, ["Worth of one use to the member"]),
            ("free_shipping", {}, {"cost": {"share": 50}}, []),
            ("percent_discount", {"percent": "5"}, {"percent": "4.99"}, ["Percent off"]),
            (
                "percent_discount",
                {"percent": "5", "excluded_skus": ["A", "B"]},
                {"percent": "5", "excluded_skus": ["A"]},
                [],
            ),
            ("concierge", {}, {"allowance": ALLOWANCE}, ["How often"]),
            ("concierge", {"allowance": ALLOWANCE}, {}, []),
            ("concierge", {"allowance": ALLOWANCE}, {"allowance": {**ALLOWANCE, "uses": 3}}, []),
            ("concierge", {"allowance": ALLOWANCE}, {"allowance": {**ALLOWANCE, "every": "term"}}, ["Period"]),
            ("early_access", {"hours": 24}, {"hours": 48}, []),
            ("birthday_gift", {"sku": "A"}, {"amount": {"EUR": 1}}, ["Article", "Sum off the basket"]),
        ],
    )
    def test_is_said_setting_by_setting(self, kind, before, after, worse):
        assert improvement.worse(kinds.check(kind, before), kinds.check(kind, after)) == worse

    @pytest.mark.parametrize("kind", sorted(kinds.ALL))
    def test_knows_every_setting_of_every_kind(self, kind):
        for name, field in kinds.ALL[kind].Settings.model_fields.items():
            assert improvement.shown(field), name

    def test_another_kind_is_never_better(self):
        assert improvement.worse(kinds.check("concierge", {}), kinds.check("free_shipping", {})) == ["Kind"]


def test_is_rehearsed_with_as_many_queries_for_twenty_as_for_two(joined, laurel, clock):
    """What shows staff whom a change would reach asks nothing for each membership."""
    perk, tier = Perk.objects.get(code="free-shipping"), Tier.objects.get(code="gold")

    def queries(of):
        for _ in range(of):
            joined("gold-year")
        with CaptureQueriesContext(connection) as asked:
            plan = publishing.rehearse(perk=perk, tier=tier, at=clock.now)
        return plan.unchanged, len(asked)

    (two, few), (twenty, many) = queries(2), queries(18)
    assert (two, twenty, many) == (2, 20, few)
