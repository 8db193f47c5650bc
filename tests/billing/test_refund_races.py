"""A member and staff at once, two tabs at once: never more than was quoted; and the same with the defence off."""

from __future__ import annotations

import contextlib
import threading

import pytest

from billing import gateway, refund_quotes, refunds
from billing.models import Payment, Refund
from billing.refund_policy import Basis, NothingToRefund
from membership.models import Membership
from tests.billing.test_races import at_once
from tests.invariants import breached, breached_once_worked_off, without_constraint

pytestmark = pytest.mark.django_db(transaction=True)


def own() -> Membership:
    return Membership.objects.with_facts().get()


def at_stripe() -> list[int]:
    return [refund.amount for refund in gateway.client().v1.refunds.list({"limit": 10}).data]


def ends(clock):
    """Somebody who saw the quote of this moment and presses the button."""
    quote = refund_quotes.offers(membership=own(), at=clock.now)
    membership = own()
    return lambda: refunds.ask(membership=membership, quote=quote, effect="end_now", at=clock.now, actor="member:1")


def gives(clock, amount: int):
    """Staff who saw what is left and give some of it."""
    quote = refund_quotes.quote(membership=own(), basis=Basis.GOODWILL, amount=amount, at=clock.now)
    asked = {"membership": own(), "quote": quote, "effect": "money_only", "reason": "late", "at": clock.now}
    return lambda: refunds.ask(**asked, actor="staff:1", approved_by="staff:2")


@pytest.fixture
def both_have_looked(monkeypatch):
    """Nobody writes before both have looked, and neither sees the other: the constraints alone are left."""
    meeting = threading.Barrier(2)

    def looks(*_):
        with contextlib.suppress(threading.BrokenBarrierError):
            meeting.wait(0.5)

    monkeypatch.setattr(refunds, "_same_as_now", looks)
    monkeypatch.setattr(refund_quotes, "standing_decision", lambda membership: "")


class TestTwoTabs:
    def test_give_the_unused_days_back_once(self, joined, clock):
        clock.move(days=200)
        answers = at_once(*[ends(clock)] * 3)
        assert {type(a) for a in answers} <= {str, gateway.StripeUnavailable}  # the same call is under way: wait
        assert Refund.objects.count() == len(at_stripe()) == 1
        assert (own().end_reason, breached_once_worked_off()) == ("refunded", set())

    def test_that_cannot_see_each_other_are_decided_by_the_constraint(self, joined, clock, both_have_looked):
        clock.move(days=200)
        answers = at_once(*[ends(clock)] * 2)
        assert [type(a) for a in answers if isinstance(a, Exception)] == [refunds.QuoteChanged]
        assert len(at_stripe()) == 1

    def test_with_the_defence_off_give_them_back_twice(self, joined, clock, both_have_looked):
        clock.move(days=200)
        with without_constraint(Refund, "one_refund_with_an_end_per_payment"):
            at_once(*[ends(clock)] * 2)
            assert len(at_stripe()) == 2


class TestTheMemberAndStaff:
    def test_at_once_give_no_more_than_was_paid(self, joined, clock):
        answers = at_once(ends(clock), gives(clock, 7000))
        # Whoever came second is told: a member that the sum is another now, staff also that nothing is left.
        (refusal,) = [type(a) for a in answers if isinstance(a, Exception)]
        given = sum(at_stripe())
        assert (given, refusal) in {
            (7000, refunds.QuoteChanged),
            (11900, refunds.QuoteChanged),
            (11900, NothingToRefund),
        }
        assert breached() == set()

    def test_that_cannot_see_each_other_are_decided_by_the_constraint(self, joined, clock, both_have_looked):
        answers = at_once(gives(clock, 7000), gives(clock, 6000))
        assert [type(a) for a in answers if isinstance(a, Exception)] == [refunds.QuoteChanged]
        assert sum(at_stripe()) == Payment.objects.get().returned <= 7000

    def test_with_the_defence_off_promise_more_than_was_paid(self, joined, clock, both_have_looked):
        with without_constraint(Payment, "no_more_goes_back_than_was_paid"):
            at_once(gives(clock, 7000), gives(clock, 6000))
            decided = Refund.objects.values_list("amount", "state").order_by("-amount")
            assert sum(amount for amount, _ in decided) == 13000  # more than was paid; Stripe itself stops the second
            assert sum(at_stripe()) <= 11900
