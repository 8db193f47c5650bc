"""The entitlement row says what the membership says, at every moment, after every verb."""

import importlib
import json
from datetime import timedelta

import pytest
from django.apps import apps

from membership import households, invariants, lifecycle, standing
from membership.models import Membership
from membership.signals import membership_changed
from perks import entitlements, lookup, programme
from perks.facts import Facts
from perks.models import Entitlement, Grant, Perk, SoldTogether, TierPerk
from tests import factories


def row(membership):
    return entitlements.read(Entitlement.objects.get(member=membership.member).facts)


def moments(membership):
    """Every edge the facts know, a second before and at it."""
    edges = {membership.reserved_at, *row(membership).moments()}
    return sorted({m for edge in edges for m in (edge, edge + timedelta(seconds=1), edge - timedelta(seconds=1))})


def live_through(verb, membership, clock):
    at, actor = clock.now, "staff:1"
    match verb:
        case "suspend":
            lifecycle.suspend(membership=membership, source="staff", source_ref="s1", at=at, actor=actor)
        case "pause":
            lifecycle.pause(membership=membership, until=at + timedelta(days=40), at=at, actor=actor)
        case "cancel":
            lifecycle.cancel(membership=membership, at=at, actor=actor)
        case "end":
            lifecycle.end(membership=membership, reason="refunded", at=at, actor=actor)
        case "cut later":
            lifecycle.end(membership=membership, reason="staff", at=at, actor=actor, cut_at=at + timedelta(days=9))
        case "renew":
            lifecycle.add_term(
                membership=membership, source="paid", source_ref="again", plan=membership.plan, at=at, actor=actor
            )
        case "change tier":
            plan = factories.plan("gold-year")
            lifecycle.change_tier(membership=membership, to_plan=plan, source_ref="c1", at=at, actor=actor)


VERBS = ["nothing", "suspend", "pause", "cancel", "end", "cut later", "renew", "change tier"]


class TestTheRow:
    @pytest.mark.parametrize("verb", VERBS)
    def test_tells_the_standing_and_tier_that_the_membership_has(self, verb, joined, clock):
        membership = joined("silver-year")
        clock.move(days=30)
        live_through(verb, membership, clock)
        membership = Membership.objects.with_facts().get(pk=membership.pk)
        for moment in moments(membership):
            speaks = standing.who_speak([membership.member], moment)
            assert speaks == {membership.member_id: (membership, standing.at(membership, moment))}, moment
            if moment < clock.now:
                continue  # the row speaks from its last change on
            tier = standing.tier_at(membership, moment)
            assert row(membership).standing(moment) == standing.at(membership, moment), moment
            assert row(membership).tier(moment) == (tier.code if tier else None), moment

    @pytest.mark.parametrize("verb", VERBS)
    def test_equals_its_recomputation(self, verb, joined, clock):
        membership = joined("silver-year")
        clock.move(days=30)
        live_through(verb, membership, clock)
        assert [list(i.check()) for i in invariants.all_registered() if i.id == "I4"] == [[], []]

    def test_that_was_changed_by_hand_is_reported(self, joined):
        membership = joined()
        Entitlement.objects.filter(member=membership.member).update(facts="{}")
        breaches = [line for i in invariants.all_registered() if i.id == "I4" for line in i.check()]
        assert breaches == [f"entitlement of member {membership.member_id} differs from its recomputation"]

    def both_say(self, member, at, wanted):
        """What the portal says, what the API says, and that the invariant is content."""
        portal = standing.at(standing.current_membership(member, at), at)
        api = lookup.by_number(member.number, at=at).facts.standing(at)
        assert [list(i.check()) for i in invariants.all_registered() if i.id == "I4"] == [[], []]
        assert (portal, api) == (wanted, wanted)

    def seat(self, joined, clock, holder):
        payer = joined("gold-year")
        return payer, households.open_seat(membership=payer, holder=holder, at=clock.now, actor="staff:1")

    def test_of_who_lapsed_and_took_a_seat_says_what_the_seat_says(self, joined, clock):
        bob = joined("silver-year").member
        clock.move(days=365 + 40)
        self.seat(joined, clock, bob)
        self.both_say(bob, clock.now, "current")

    def test_of_a_seat_is_not_lost_by_going_to_pay(self, joined, clock):
        bob = factories.member("Bob", at=clock.now)
        self.seat(joined, clock, bob)
        plan = factories.plan("silver-year")
        lifecycle.reserve(member=bob, plan=plan, currency="EUR", at=clock.now, actor="system")
        self.both_say(bob, clock.now, "current")

    def test_of_a_seat_stays_with_the_membership_that_ended_when_its_payer_joins_anew(self, joined, clock):
        bob = factories.member("Bob", at=clock.now)
        payer, _ = self.seat(joined, clock, bob)
        clock.move(days=365 + 40)
        joined("gold-year", member=payer.member)
        self.both_say(bob, clock.now, "lapsed")

    def test_goes_back_to_the_seat_by_the_clock_alone_when_the_own_membership_runs_out(self, joined, clock):
        bob = factories.member("Bob", at=clock.now)
        clock.move(days=1)
        own_is_over = clock.now + timedelta(days=60)
        payer, _ = self.seat(joined, clock, bob)
        own = joined("silver-month", member=bob)
        lookup_tier = lookup.by_number(bob.number, at=clock.now).facts.tier(clock.now)
        assert (own.plan.tier.code, lookup_tier) == ("silver", "silver")
        clock.move_to(own_is_over)
        assert lookup.by_number(bob.number, at=clock.now).facts.tier(clock.now) == payer.plan.tier.code
        self.both_say(bob, clock.now, "current")

    def test_that_says_another_thing_now_than_the_memberships_is_reported(self, joined, clock, monkeypatch):
        membership = joined()
        monkeypatch.setattr(Facts, "standing", lambda self, at: "grace")
        breaches = [line for i in invariants.all_registered() if i.id == "I4" for line in i.check()]
        number = membership.member_id
        assert breaches == [f"member {number} is grace by the entitlement row and current by the memberships"]

    def test_of_a_household_seat_joins_its_payers(self, joined, clock):
        payer, holder = joined("gold-year"), factories.member()
        seat = households.open_seat(membership=payer, holder=holder, at=clock.now, actor="staff:1")
        assert Entitlement.objects.get(member=holder).payer_id == payer.member_id
        households.close_seat(seat=seat, at=clock.now, actor="staff:1")
        assert not Entitlement.objects.filter(member=holder).exists()


class TestGrants:
    def codes(self, membership, **filters):
        return sorted(Grant.objects.filter(membership=membership, **filters).values_list("perk__code", flat=True))

    def test_are_what_the_term_was_sold_with(self, joined):
        assert self.codes(joined("silver-year"), term__isnull=False) == ["early-access", "free-shipping"]

    def test_keep_the_settings_they_were_sold_under(self, joined):
        membership = joined("gold-year")
        perk = Grant.objects.filter(membership=membership, perk__code="standing-discount").first().perk
        perk.settings = {"percent": "1"}
        perk.save()
        membership_changed.send(sender=Membership, membership=membership, at=membership.reserved_at)
        sold = Grant.objects.get(membership=membership, perk=perk, term__isnull=False)
        offered = Grant.objects.get(membership=membership, perk=perk, term=None)
        assert (sold.settings["percent"], offered.settings["percent"]) == ("5", "1")

    def test_of_the_next_term_are_provisional_until_it_is_paid_and_then_its_own(self, joined, clock):
        membership = joined("gold-year")
        provisional = set(Grant.objects.filter(membership=membership, term=None).values_list("pk", flat=True))
        clock.move(days=366)
        term, _ = lifecycle.add_term(
            membership=membership, source="paid", source_ref="next", plan=membership.plan, at=clock.now, actor="stripe"
        )
        assert set(Grant.objects.filter(term=term).values_list("pk", flat=True)) == provisional

    def test_of_the_next_term_are_what_the_tier_has_when_it_is_paid(self, joined, clock):
        membership = joined("gold-year")
        old = TierPerk.objects.filter(tier__code="gold", perk__code="early-access").get()
        new = Perk.objects.create(code="fitting", kind=old.perk.kind, names={"en": "Fitting"}, position=9)
        Perk.objects.filter(pk=new.pk).update(published=True, settings=old.perk.settings)
        TierPerk.objects.create(tier=old.tier, perk=new, settings=old.settings)
        clock.move(days=366)
        assert "fitting" not in row(membership).held(clock.now)
        lifecycle.add_term(
            membership=membership, source="paid", source_ref="next", plan=membership.plan, at=clock.now, actor="stripe"
        )
        assert "fitting" in row(membership).held(clock.now)

    def test_of_a_renewal_follow_the_programme_also_in_the_seats_row(self, joined, clock):
        payer, holder = joined("gold-year"), factories.member(at=clock.now)
        households.open_seat(membership=payer, holder=holder, at=clock.now, actor="staff:1")
        changed = programme.read("laurel")
        changed.perks = [perk for perk in changed.perks if perk.code != "early-access"]
        TierPerk.objects.filter(perk__code="early-access").delete()
        programme.load(programme=changed, at=clock.now)
        after = clock.now + timedelta(days=366)
        for member in (payer.member, holder):
            assert "early-access" not in lookup.by_member(member.pk, at=after).facts.held(after)

    def test_change_with_a_paid_tier_change_inside_the_term(self, joined, clock):
        membership = joined("silver-year")
        clock.move(days=30)
        gold = factories.plan("gold-year")
        lifecycle.change_tier(membership=membership, to_plan=gold, source_ref="c1", at=clock.now, actor="stripe")
        before, after = (
            {g.perk: (g.settings) for g in row(membership).held(at).values()}
            for at in (clock.now - timedelta(seconds=1), clock.now)
        )
        assert sorted(before) == []  # the row speaks from its last change on
        assert sorted(after) == [
            "alterations",
            "birthday-gift",
            "concierge",
            "early-access",
            "free-shipping",
            "returns",
            "standing-discount",
            "workshops",
        ]
        old = Grant.objects.get(perk__code="early-access", change=None, term__isnull=False)
        new = Grant.objects.get(perk__code="early-access", change__isnull=False)
        assert (old.ends_at, old.settings["hours"]) == (clock.now, 24)
        assert (new.starts_at, new.settings["hours"]) == (clock.now, 48)

    def test_end_at_the_cut(self, joined, clock):
        membership = joined("gold-year")
        clock.move(days=30)
        lifecycle.end(membership=membership, reason="dispute_lost", at=clock.now, actor="stripe")
        assert not Grant.objects.filter(membership=membership, ends_at__gt=clock.now).exists()

    def test_are_withdrawn_where_no_renewal_is_awaited_any_more(self, joined, clock):
        membership = joined("gold-year")
        lifecycle.cancel(membership=membership, at=clock.now, actor="member:1")
        assert self.codes(membership, term=None) == []


def test_rows_of_before_are_migrated_to_what_is_written_now(joined, clock):
    membership = joined()
    written = Entitlement.objects.get().facts
    names = ("0011_the_row_keeps_settings_apart", "0012_what_was_sold_together_stands_apart")
    first, second = (importlib.import_module(f"perks.migrations.{name}") for name in names)
    second.together(apps, None)
    first.together(apps, None)
    assert json.loads(Entitlement.objects.get().facts)["windows"][0]["held"][0]["settings"]
    SoldTogether.objects.all().delete()
    first.apart(apps, None)
    second.apart(apps, None)
    assert Entitlement.objects.get().facts == written
    assert row(membership).held(clock.now)


class TestWhatWasSoldTogether:
    def test_is_kept_once_for_all_who_bought_the_same(self, joined, clock):
        joined()
        before = set(SoldTogether.objects.values_list("pk", flat=True))
        joined()
        assert set(SoldTogether.objects.values_list("pk", flat=True)) == before
        assert Entitlement.objects.count() == 2

    def test_a_later_catalogue_leaves_it_as_it_was(self, joined, clock):
        membership = joined()
        before = {h.perk: h.settings for h in row(membership).held(clock.now).values()}
        TierPerk.objects.filter(tier=membership.plan.tier).delete()
        entitlements.rebuild(member=membership.member, at=clock.now)
        assert {h.perk: h.settings for h in row(membership).held(clock.now).values()} == before
