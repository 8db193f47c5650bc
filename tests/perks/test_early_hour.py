"""The hour that a perk check names for a sale is one at which the member will still be entitled, else the public's.

Asked on the route and on the fast lane alike, and told by GET /sales alike. `valid_until` stays the next change.
"""

from datetime import timedelta

import pytest

from membership import lifecycle, standing
from perks import fresh
from perks.models import Perk, Sale
from tests.perks.conftest import basket, number
from tests.perks.test_fast_lane import BothWays
from tests.perks.test_sales import LINE, told, when

EARLY = timedelta(hours=24)  # silver's


@pytest.fixture
def shop(shop):
    return BothWays(shop.client, shop.key)


@pytest.fixture
def canceled(joined, clock):
    """A silver member by the month who has canceled, an hour before the end of what is paid."""
    membership = joined("silver-month")
    lifecycle.cancel(membership=membership, at=clock.now, actor="member:1")
    (term,) = membership.terms.all()
    clock.move_to(term.ends_at - timedelta(hours=1))
    membership.refresh_from_db()
    return membership


def opening(public):
    Sale.objects.update(opens_at=public, closes_at=public + timedelta(days=9))
    fresh.forget_all()


def asked(shop, membership):
    """The check's decision and its shelf life; GET /sales names the same hour."""
    answer = shop.check(member=number(membership), basket=basket(lines=[LINE]), perks=["early-access"])
    (decision,) = answer["decisions"]
    if decision["reason"] == "not_open_yet":
        assert told(shop, membership)["member_opens_at"] == decision["opens_at"]
    return decision, answer["valid_until"]


class TestCanceled:
    def test_and_over_before_the_early_hour_is_told_the_publics(self, shop, canceled, clock):
        ends_at = canceled.entitled_until
        public = ends_at + EARLY + timedelta(hours=1)
        opening(public)
        decision, valid_until = asked(shop, canceled)
        assert (decision["reason"], decision["opens_at"]) == ("not_open_yet", when(public))
        assert valid_until == when(ends_at)
        assert shop.compared
        clock.move_to(ends_at)
        decision, _ = asked(shop, canceled)
        assert (decision["reason"], decision["opens_at"]) == ("membership_lapsed", None)

    def test_and_over_at_the_early_hours_second_is_told_the_publics(self, shop, canceled):
        opening(canceled.entitled_until + EARLY)
        assert asked(shop, canceled)[0]["opens_at"] == when(canceled.entitled_until + EARLY)

    def test_but_entitled_at_the_early_hour_is_told_it_and_let_in(self, shop, canceled, clock):
        early = canceled.entitled_until - timedelta(seconds=1)
        opening(early + EARLY)
        decision, valid_until = asked(shop, canceled)
        assert (decision["opens_at"], valid_until) == (when(early), when(early))
        clock.move_to(early)
        decision, valid_until = asked(shop, canceled)
        assert (decision["reason"], valid_until) == ("granted", when(canceled.entitled_until))

    def test_and_taken_back_is_told_the_early_hour_again(self, shop, canceled, clock):
        public = canceled.entitled_until + EARLY + timedelta(hours=1)
        opening(public)
        lifecycle.undo_cancel(membership=canceled, at=clock.now, actor="member:1")
        assert asked(shop, canceled)[0]["opens_at"] == when(public - EARLY)


def test_in_grace_the_hour_is_named_only_within_the_grace(shop, joined, clock):
    Perk.objects.filter(code="early-access").update(settings={"hours": 24, "in_grace": "keep"})
    membership = joined("silver-month")
    (term,) = membership.terms.all()
    clock.move_to(term.ends_at + timedelta(days=2))
    membership.refresh_from_db()
    end = standing.grace_until(membership)
    for early, named in ((end - timedelta(hours=1), True), (end + timedelta(hours=1), False)):
        opening(early + EARLY)
        decision, _ = asked(shop, membership)
        assert decision["reason"] == "not_open_yet"
        assert decision["opens_at"] == when(early if named else early + EARLY)
