"""What a use writes into the entitlement row under the lock: the uses alone, to the byte what a whole writing says."""

import pytest

from membership import households
from perks.models import Entitlement, Grant
from tests import factories
from tests.perks.conftest import number
from tests.perks.redeeming import asked, left, wrong


@pytest.fixture
def row(two_uses):
    def read():
        return Entitlement.objects.get(member=two_uses.member)

    return read


class TestAfterAUse:
    def test_only_its_uses_are_counted_anew(self, shop, two_uses, row, clock):
        told_at = row().computed_at
        clock.move(minutes=5)
        held = shop.hold(shop.check(**asked(two_uses)), "concierge")
        assert (row().computed_at, left(shop, two_uses), wrong()) == (told_at, 1, set())
        shop.commit(held)
        assert (row().computed_at, left(shop, two_uses), wrong()) == (told_at, 1, set())
        shop.give_back(held)
        assert (row().computed_at, left(shop, two_uses), wrong()) == (told_at, 2, set())

    def test_a_hold_that_ran_out_counts_no_more(self, shop, two_uses, clock):
        shop.hold(shop.check(**asked(two_uses)), "concierge", hold_seconds=60)
        clock.move(seconds=60)
        assert (left(shop, two_uses), wrong()) == (2, set())
        shop.release(shop.hold(shop.check(**asked(two_uses)), "concierge"))
        assert (left(shop, two_uses), wrong()) == (2, set())

    def test_the_row_is_written_wholly_once_an_hour(self, shop, two_uses, row, clock):
        shop.hold(shop.check(**asked(two_uses)), "concierge", hold_seconds=60)
        clock.move(minutes=61)
        shop.hold(shop.check(**asked(two_uses)), "concierge")
        assert (row().computed_at, left(shop, two_uses), wrong()) == (clock.now, 1, set())
        assert row().facts.count("2026-03-02T10:01:00Z") == 0, "the hold that ran out is told no more"

    def test_whoever_has_a_seat_hears_of_it_too(self, shop, two_uses, clock):
        holder = factories.member("Bo", at=clock.now)
        households.open_seat(membership=two_uses, holder=holder, at=clock.now, actor="test")
        held = shop.hold(shop.check(member={"number": holder.number}, perks=["concierge"]), "concierge")
        assert (left(shop, two_uses), wrong()) == (1, set())
        shop.release(held)
        assert (left(shop, two_uses), wrong()) == (2, set())

    def test_uses_that_carry_over_and_a_gesture_beside_them_keep_all_they_say(self, shop, two_uses, clock):
        grant = Grant.objects.get(membership=two_uses, perk__code="concierge", term__isnull=False)
        grant.settings = grant.settings | {"allowance": {"uses": 2, "every": "quarter", "carry_over": True}}
        grant.save()
        clock.move(minutes=61)
        shop.commit(shop.hold(shop.check(**asked(two_uses)), "concierge"))
        shop.hold(shop.check(**asked(two_uses)), "concierge")
        assert (left(shop, two_uses), wrong()) == (0, set())


class TestUnderTheLock:
    def test_a_till_waits_for_few_questions(self, shop, two_uses, django_assert_max_num_queries):
        check = shop.check(member=number(two_uses), perks=["concierge"])
        with django_assert_max_num_queries(32):
            held = shop.hold(check, "concierge")
        with django_assert_max_num_queries(14):
            shop.commit(held)
