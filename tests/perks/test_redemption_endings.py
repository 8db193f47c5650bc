"""What becomes of a hold: it expires, is committed, released or returned, and is answered the same when asked again."""

import pytest
from django.core.management import call_command

from perks import keys
from perks.models import Redemption
from tests.perks.conftest import basket, number
from tests.perks.redeeming import asked, left, refused, wrong


class TestExpiry:
    def test_frees_the_use_by_the_clock_alone(self, shop, two_uses, clock):
        first, _ = (shop.hold(shop.check(**asked(two_uses)), "concierge", hold_seconds=s) for s in (600, 1200))
        (told,) = (check := shop.check(**asked(two_uses)))["decisions"]
        assert (told["reason"], told["uses_left"], check["valid_until"]) == ("used_up", 0, "2026-03-02T10:10:00Z")
        clock.move(minutes=10)
        assert left(shop, two_uses) == 1
        assert shop.read(first)["status"] == "expired"
        shop.hold(shop.check(**asked(two_uses)), "concierge")
        assert Redemption.objects.get(ident=first["id"]).closed_at == clock.now
        assert wrong() == set()

    def test_refuses_a_commit_whether_or_not_the_sweep_ran(self, shop, two_uses, clock):
        held = [shop.hold(shop.check(**asked(two_uses)), "concierge") for _ in range(2)]
        clock.move(minutes=30)
        commit = "/redemptions/{}/commit".format
        assert refused(shop.call("POST", commit(held[0]["id"]))) == (409, "hold_expired")
        call_command("tick")
        assert refused(shop.call("POST", commit(held[1]["id"]))) == (409, "hold_expired")

    def test_is_tidied_by_the_sweep_and_nothing_changes(self, shop, two_uses, clock):
        held = shop.hold(shop.check(**asked(two_uses)), "concierge")
        clock.move(minutes=31)
        before = shop.read(held)
        call_command("tick")
        assert Redemption.objects.get().status == "expired"
        assert shop.read(held) == before
        assert wrong() == set()


class TestRelease:
    def test_frees_the_use_at_once(self, shop, two_uses):
        held = shop.hold(shop.check(**asked(two_uses)), "concierge")
        assert (shop.release(held)["status"], left(shop, two_uses)) == ("released", 2)

    def test_can_be_repeated_and_follow_an_expiry(self, shop, two_uses, clock):
        held, late = (shop.hold(shop.check(**asked(two_uses)), "concierge") for _ in range(2))
        assert shop.release(held) == shop.release(held)
        clock.move(hours=1)
        assert shop.release(late)["status"] == "expired"

    def test_and_commit_exclude_each_other(self, shop, two_uses):
        released, committed = (shop.hold(shop.check(**asked(two_uses)), "concierge") for _ in range(2))
        shop.release(released)
        shop.commit(committed)
        assert refused(shop.call("POST", f"/redemptions/{released['id']}/commit")) == (409, "hold_released")
        assert refused(shop.call("POST", f"/redemptions/{committed['id']}/release")) == (409, "already_committed")


class TestReturn:
    LINES = [
        {"id": "a", "sku": "A", "quantity": 3, "unit_amount": 3333},
        {"id": "b", "sku": "B", "quantity": 1, "unit_amount": 101},
    ]

    @pytest.fixture
    def ordered(self, shop, joined):
        """Free delivery (495) and 5 % (500 of line a, 5 of line b) on four pieces, paid."""
        check = shop.check(member=number(joined()), basket=basket(lines=self.LINES))
        return shop.commit(shop.hold(check, "standing-discount", "free-shipping"))

    def worths(self, told):
        return [use["worth"] for use in told["perks"]]

    def test_by_line_takes_back_the_proportion_and_in_sum_the_whole(self, shop, ordered):
        assert self.worths(ordered) == [505, 495]
        assert self.worths(shop.give_back(ordered, a=1)) == [338, 332]
        assert self.worths(shop.give_back(ordered, a=1)) == [172, 168]
        told = shop.give_back(ordered, a=1)
        assert (told["status"], self.worths(told)) == ("committed", [5, 5])
        told = shop.give_back(ordered, b=1)
        assert (told["status"], self.worths(told)) == ("returned", [0, 0])
        assert told["lines"] == [{"id": "a", "quantity": 3, "returned": 3}, {"id": "b", "quantity": 1, "returned": 1}]

    def test_of_the_whole_takes_back_what_is_left(self, shop, ordered):
        shop.give_back(ordered, a=2, b=1)
        told = shop.give_back(ordered)
        assert (told["status"], self.worths(told)) == ("returned", [0, 0])

    def test_refuses_more_than_was_ordered_and_lines_it_does_not_know(self, shop, ordered):
        shop.give_back(ordered, a=2)
        assert refused(shop.ask_to_return(ordered, a=2)) == (409, "returned_too_much")
        assert refused(shop.ask_to_return(ordered, c=1)) == (422, "unknown_line")
        assert self.worths(shop.read(ordered)) == [172, 168]

    def test_refuses_a_line_named_twice(self, shop, ordered):
        lines = [{"id": "a", "quantity": 1}, {"id": "a", "quantity": 1}]
        path = f"/redemptions/{ordered['id']}/return"
        assert refused(shop.call("POST", path, {"lines": lines}, Idempotency_Key="k")) == (422, "invalid_request")

    def test_repeated_under_the_same_key_counts_once(self, shop, ordered):
        first, again = (shop.ask_to_return(ordered, key="the-same", a=1) for _ in range(2))
        assert first.content == again.content
        assert self.worths(shop.read(ordered)) == [338, 332]

    def test_gives_the_use_of_a_limited_perk_back_once_all_of_it_came_back(self, shop, two_uses):
        check = shop.check(member=number(two_uses), basket=basket(lines=self.LINES), perks=["concierge"])
        used = shop.commit(shop.hold(check, "concierge"))
        shop.give_back(used, a=3)
        assert left(shop, two_uses) == 1
        shop.give_back(used, b=1)
        assert left(shop, two_uses) == 2

    def test_of_what_is_not_committed_is_refused(self, shop, two_uses):
        held = shop.hold(shop.check(**asked(two_uses)), "concierge")
        assert refused(shop.ask_to_return(held)) == (409, "not_committed")
        shop.release(held)
        assert refused(shop.ask_to_return(held)) == (409, "not_committed")


class TestIdempotency:
    def test_gives_the_same_answer_for_thirty_days_whatever_became_of_it(self, shop, two_uses, clock):
        check = shop.check(**asked(two_uses))
        first = shop.ask_to_hold(check, "concierge", key="order-1")
        shop.commit(first.json())
        clock.move(days=30, seconds=-1)
        assert shop.ask_to_hold(check, "concierge", key="order-1").content == first.content
        clock.move(seconds=1)
        assert refused(shop.ask_to_hold(check, "concierge", key="order-1")) == (409, "check_expired")

    def test_refuses_another_request_under_the_same_key(self, shop, two_uses):
        check = shop.check(**asked(two_uses))
        held = shop.hold(check, "concierge", key="order-1")
        shop.commit(held)
        assert refused(shop.ask_to_hold(check, "concierge", key="order-1", order="2")) == (422, "idempotency_mismatch")
        assert refused(shop.ask_to_return(held, key="order-1")) == (422, "idempotency_mismatch")

    def test_is_each_shops_own(self, shop, two_uses, clock):
        shop.hold(shop.check(**asked(two_uses)), "concierge", key="order-1")
        shop.key = keys.create(shop_name="Another", scopes=list(keys.SCOPES), at=clock.now, actor="test")
        shop.hold(shop.check(**asked(two_uses)), "concierge", key="order-1")
        assert Redemption.objects.count() == 2

    def test_keeps_no_refusal(self, shop, two_uses):
        check = shop.check(**asked(two_uses))
        others = [shop.hold(shop.check(**asked(two_uses)), "concierge") for _ in range(2)]
        assert refused(shop.ask_to_hold(check, "concierge", key="order-1")) == (409, "used_up")
        shop.release(others[0])
        assert shop.ask_to_hold(check, "concierge", key="order-1").status_code == 200

    @pytest.mark.parametrize("swept", [True, False])
    def test_leaves_the_key_free_after_thirty_days_for_the_same_perk_or_another(self, shop, two_uses, clock, swept):
        first = shop.commit(shop.hold(shop.check(**asked(two_uses)), "concierge", key="order-1"))
        shop.give_back(first)
        clock.move(days=30, seconds=-1)
        check = shop.check(member=number(two_uses), basket=basket())
        assert refused(shop.ask_to_hold(check, "concierge", key="order-1")) == (422, "idempotency_mismatch")
        clock.move(seconds=1)
        if swept:
            call_command("tick")
        again = shop.hold(shop.check(**asked(two_uses)), "concierge", key="order-1")
        assert again["id"] != first["id"]
        assert shop.hold(shop.check(**asked(two_uses)), "concierge")["id"] not in {again["id"], first["id"]}
        assert wrong() == set()
        assert refused(shop.ask_to_hold(check, "free-shipping", key="order-1")) == (422, "idempotency_mismatch")
        clock.move(days=30)
        check = shop.check(member=number(two_uses), basket=basket())
        shop.commit(shop.hold(check, "free-shipping", key="order-1"))
        assert wrong() == set()

    def test_is_swept_after_thirty_days(self, shop, two_uses, clock):
        shop.hold(shop.check(**asked(two_uses)), "concierge", key="order-1")
        clock.move(days=30)
        call_command("tick")
        assert Redemption.objects.get().shop.kept_answers.count() == 0
