"""Seats: who may take one, and whose membership speaks for the one who did."""

from __future__ import annotations

import pytest

from membership import households, lifecycle, standing
from membership.models import HouseholdSeat, Member, Membership
from tests import factories
from tests.factories import moment

pytestmark = pytest.mark.django_db

AT = moment("2026-03-10T09:00")
LONG_AFTER = moment("2027-04-10T09:00")


def joined(member: Member, plan: str = "gold-year", at=AT) -> Membership:
    wanted = factories.plan(plan)
    membership = lifecycle.reserve(member=member, plan=wanted, currency="EUR", at=at, actor="system")
    ref = f"in_{member.pk}_{at}"
    lifecycle.add_term(membership=membership, source="paid", source_ref=ref, plan=wanted, at=at, actor="stripe")
    return membership


def seat(membership: Membership, holder: Member, at=AT) -> HouseholdSeat:
    return households.open_seat(membership=membership, holder=holder, at=at, actor="staff:1")


def speaks_for(member: Member, at) -> Membership | None:
    """As it is asked for one, which must be what is asked for many."""
    one, many = standing.current_membership(member, at), standing.who_speak([member], at)
    assert many == ({member.pk: (one, standing.at(one, at))} if one else {})
    return one


@pytest.fixture
def payer() -> Membership:
    return joined(factories.member("Ada"))


@pytest.fixture
def bob() -> Member:
    return factories.member("Bob")


class TestASeat:
    def test_is_refused_to_who_pays_for_it(self, payer):
        with pytest.raises(households.SeatTaken):
            seat(payer, payer.member)

    def test_is_refused_to_who_has_one(self, payer, bob):
        seat(payer, bob)
        with pytest.raises(households.SeatTaken):
            seat(joined(factories.member("Charles")), bob)

    @pytest.mark.parametrize("state", ["current", "grace", "paused", "suspended"])
    def test_is_refused_to_who_has_a_membership_of_their_own(self, payer, bob, state):
        own, at = joined(bob, "silver-year"), AT
        if state == "grace":
            at = moment("2027-03-12T09:00")
        if state == "paused":
            lifecycle.pause(membership=own, until=moment("2026-05-01T00:00"), at=AT, actor="staff:1")
        if state == "suspended":
            lifecycle.suspend(membership=own, source="staff", source_ref="s1", at=AT, actor="staff:1")
        assert standing.at(Membership.objects.with_facts().get(pk=own.pk), at) == state
        with pytest.raises(households.SeatTaken):
            seat(payer, bob, at)

    def test_may_be_taken_by_who_lapsed_and_then_speaks_for_them(self, bob):
        joined(bob, "silver-year")
        payer = joined(factories.member("Ada"), at=LONG_AFTER)
        seat(payer, bob, LONG_AFTER)
        assert speaks_for(bob, LONG_AFTER) == payer

    def test_speaks_on_while_its_holder_goes_to_pay_and_yields_to_what_they_paid(self, payer, bob):
        seat(payer, bob)
        own = lifecycle.reserve(member=bob, plan=factories.plan("silver-year"), currency="EUR", at=AT, actor="member:1")
        assert speaks_for(bob, AT) == payer
        joined(bob, "silver-year")
        assert speaks_for(bob, AT) == own

    def test_stays_with_the_membership_it_is_under(self, payer, bob):
        seat(payer, bob)
        again = joined(payer.member, at=LONG_AFTER)
        assert again != payer
        assert speaks_for(bob, LONG_AFTER) == payer

    def test_that_lapsed_does_not_hide_that_nothing_else_is_held(self, bob):
        assert speaks_for(bob, AT) is None
        own = joined(bob, "silver-year")
        assert speaks_for(bob, LONG_AFTER) == own
