"""What a declaration does to the membership that it names: a cancellation, a withdrawal, once, whatever happens."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from billing import declarations, gateway, nets, running_out
from billing.emulator import faults
from billing.models import Declaration, Operation, Payment, Refund, Subscription
from membership import households, lifecycle
from membership.models import Membership, Plan, Status
from tests import factories
from tests.billing.conftest import FAILS, come_back, go_to_pay, mails, pay
from tests.billing.declaring import WITHDRAW, declare, number, work_it_off
from tests.invariants import breached

pytestmark = pytest.mark.django_db(transaction=True)
Outcome = Declaration.Outcome


@pytest.fixture
def stranger() -> Client:
    """Somebody at a browser of their own, without an account."""
    return Client()


def at_stripe() -> bool:
    subscription = gateway.client().v1.subscriptions.retrieve(Subscription.objects.get().stripe_id)
    return bool(subscription.cancel_at_period_end)


class TestACancellation:
    def test_with_address_and_number_is_carried_out(self, joined, stranger):
        declare(stranger, number=number(), email="ADA@example.org")
        assert work_it_off().outcome == Outcome.CANCELED
        assert (Membership.objects.get().renewal_expected, at_stripe()) == (False, True)
        assert "2 March 2027" in mails("membership_canceled")[0].text
        assert not mails("declaration_settled")
        assert breached() == set()

    def test_with_the_receipt_sent_elsewhere_is_told_to_the_account(self, joined, stranger):
        declare(stranger, number=number(), contact="someone@example.org")
        work_it_off()
        (told,) = mails("declaration_settled")
        assert told.to == "ada@example.org"
        assert "can be taken back" in told.text

    def test_of_a_place_that_was_never_paid_frees_it_and_says_so(self, visitor, stranger):
        go_to_pay(visitor)
        declare(stranger, number=number())
        work_it_off()
        assert Membership.objects.get().status == Status.ENDED
        assert "You owe nothing" in mails("declaration_settled")[0].text

    def test_of_an_unpaid_renewal_ends_it_at_once(self, fails, stranger, clock):
        fails(FAILS)
        clock.move(days=1)
        declare(stranger, number=number())
        assert work_it_off().outcome == Outcome.CANCELED
        assert Membership.objects.get().status == Status.ENDED
        assert breached() == set()

    def test_canceled_before_says_until_when_it_runs(self, joined, stranger, clock):
        joined.post("/portal/cancel/")
        clock.move(days=1)
        declare(stranger, number=number())
        assert work_it_off().outcome == Outcome.BEFORE
        assert "until 2 March 2027" in mails("declaration_settled")[0].text

    def test_after_it_ran_out_says_that_nothing_goes_on(self, joined, stranger, clock):
        joined.post("/portal/cancel/")
        clock.move(days=400)
        running_out.see_out(at=clock.now)
        declare(stranger, number=number())
        assert work_it_off().outcome == Outcome.OVER

    def test_by_a_guest_touches_nobodys_membership(self, joined, stranger, clock):
        guest = factories.member("Grace Hopper", email="grace@example.org")
        households.open_seat(membership=Membership.objects.get(), holder=guest, at=clock.now, actor="staff:1")
        declare(stranger, email="grace@example.org", number=guest.number)
        assert work_it_off().outcome == Outcome.SHARED
        assert Membership.objects.get().renewal_expected

    def test_of_a_gift_says_that_it_ends_by_itself(self, ada, stranger, clock):
        plan = Plan.objects.get(code="gold-year")
        made = lifecycle.reserve(member=ada, plan=plan, currency="EUR", at=clock.now, actor="staff:1")
        lifecycle.add_term(
            membership=made, source="gift", source_ref="gift:1", plan=plan, at=clock.now, actor="staff:1"
        )
        declare(stranger, number=ada.number)
        assert work_it_off().outcome == Outcome.BY_ITSELF
        assert "ends by itself" in mails("declaration_settled")[0].text

    def test_for_cause_is_canceled_for_its_end_and_waits_for_staff(self, joined, stranger):
        declare(stranger, number=number(), for_cause="for_cause", reason="You have closed.")
        row = work_it_off()
        assert (row.outcome, row.done_at) == (Outcome.CANCELED, None)
        assert list(declarations.for_staff()) == [row]
        assert at_stripe()

    def test_of_a_later_day_buys_no_year_for_it(self, joined, stranger):
        declare(stranger, number=number(), wanted_on="2027-12-31")
        assert work_it_off().outcome == Outcome.CANCELED

    def test_of_a_day_beyond_the_next_year_waits_for_staff(self, joined, stranger):
        declare(stranger, number=number(), wanted_on="2028-06-30")
        assert work_it_off().parked_reason.startswith("to end later")
        assert Membership.objects.get().renewal_expected

    def test_while_stripe_is_away_has_arrived_and_is_carried_out_once(self, joined, stranger, clock):
        with faults.next_call("POST /v1/subscriptions/{id}", lost="request", times=9):
            declare(stranger, number=number())
            row = work_it_off()
        assert (row.done_at, len(mails("declaration_receipt"))) == (None, 1)
        assert Membership.objects.get().renewal_expected
        clock.move(minutes=1)
        for _ in range(2):
            assert work_it_off().outcome == Outcome.CANCELED
        assert (at_stripe(), len(mails("membership_canceled"))) == (True, 1)
        assert breached() == set()

    def test_that_a_renewal_overtook_stops_the_next_and_waits_for_staff(self, joined, stranger, live, clock):
        declare(stranger, number=number())
        Declaration.objects.update(due_at=clock.now + timedelta(days=370))  # no worker for a year
        clock.move(days=364)
        live(factories.moment("2027-03-02T12:00"))
        clock.move(days=7)
        row = work_it_off()
        assert (row.outcome, row.parked_reason.startswith("canceled, but a renewal")) == (Outcome.CANCELED, True)
        assert at_stripe()


class TestAWithdrawal:
    def test_with_address_and_number_gives_the_money_back_and_ends_it(self, joined, stranger):
        declare(stranger, WITHDRAW, number=number())
        assert work_it_off().outcome == Outcome.WITHDRAWN
        assert (Refund.objects.get().state, Membership.objects.get().end_reason) == ("succeeded", "refunded")
        assert len(mails("refund")) == 1
        assert breached() == set()

    def test_counts_from_its_arrival_though_the_days_ran_out_meanwhile(self, joined, stranger, clock):
        clock.move(days=13)
        declare(stranger, WITHDRAW, number=number())
        clock.move(days=3)
        assert work_it_off().outcome == Outcome.WITHDRAWN
        assert Payment.objects.get().returned == 11900

    def test_after_the_days_changes_nothing_and_waits_for_staff(self, joined, stranger, clock):
        clock.move(days=20)
        declare(stranger, WITHDRAW, number=number())
        row = work_it_off()
        assert (row.outcome, row.parked_reason[:9], row.done_at) == (Outcome.TOO_LATE, "withdrawn", None)
        assert "were over by then" in mails("declaration_settled")[0].text
        assert not Refund.objects.exists()

    def test_while_stripe_is_away_goes_back_once(self, joined, stranger, clock):
        with faults.next_call("POST /v1/refunds", lost="answer", times=9):
            declare(stranger, WITHDRAW, number=number())
            assert work_it_off().outcome == Outcome.WITHDRAWN
        Declaration.objects.update(done_at=None)  # and the worker died
        clock.move(minutes=10)
        work_it_off()
        nets.finish_refunds(at=clock.now)
        assert [refund.amount for refund in gateway.client().v1.refunds.list({"limit": 9}).data] == [11900]
        assert Operation.objects.filter(kind="refund").count() == 1
        assert breached() == set()

    def test_of_free_days_ends_with_them(self, visitor, stranger):
        Plan.objects.filter(code="gold-year").update(trial_days=14)
        pay(go_to_pay(visitor))
        come_back(visitor)
        declare(stranger, WITHDRAW, number=number())
        assert work_it_off().outcome == Outcome.CANCELED
        assert at_stripe()

    def test_of_what_was_withdrawn_before_gives_nothing_twice(self, joined, stranger):
        for _ in range(2):
            declare(stranger, WITHDRAW, number=number())
            row = work_it_off()
        assert (row.outcome, Refund.objects.count()) == (Outcome.BEFORE, 1)
