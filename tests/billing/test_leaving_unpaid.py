"""Canceling what is not paid: it ends at once, here and at Stripe, and nothing is owed."""

from __future__ import annotations

import pytest

from billing import gateway, janitor, running_out, tasks
from billing.emulator import faults
from billing.models import Invoice, Operation, Subscription
from membership import lifecycle, standing
from membership.models import Membership, Plan, Status, Term
from membership.standing import Standing
from tests import factories
from tests.billing.conftest import mails, spoil_the_card
from tests.invariants import breached_once_worked_off

pytestmark = pytest.mark.django_db(transaction=True)


def at_stripe_is() -> str:
    return str(gateway.client().v1.subscriptions.retrieve(Subscription.objects.get().stripe_id).status)


@pytest.fixture
def unpaid(joined, clock, webhooks):
    """The term is over, and the card was declined."""
    spoil_the_card()
    clock.move_to(factories.moment("2027-03-05T10:00"))
    webhooks()
    return joined


class TestCancelingWhatIsUnpaid:
    def test_says_that_it_ends_at_once(self, unpaid):
        page = unpaid.get("/portal/cancel/").content.decode()
        assert "What you paid for ended on 2 March 2027, so your membership ends at once" in page
        assert "The open invoice of €\u00a0119 is canceled. You owe nothing" in page

    def test_ends_it_here_and_there(self, unpaid):
        unpaid.post("/portal/cancel/", {"promised": "at_once"})
        membership = Membership.objects.get()
        assert (membership.status, membership.end_reason) == (Status.ENDED, "lapsed")
        assert Subscription.objects.get().status == "canceled"
        assert Operation.objects.get(kind="cancel_now").state == Operation.State.DONE
        (letter,) = mails("membership_canceled")
        assert "The open invoice of €\u00a0119.00 is canceled." in letter.text
        assert sorted(Invoice.objects.values_list("status", flat=True)) == ["paid", "void"]
        assert breached_once_worked_off() == set()

    def test_is_finished_by_the_janitor_when_stripe_does_not_answer(self, unpaid, clock):
        with faults.next_call("DELETE /v1/subscriptions/{id}", lost="answer", times=9):
            assert unpaid.post("/portal/cancel/").status_code == 503
        clock.move(minutes=6)
        janitor.look_after(at=clock.now)
        assert Membership.objects.get().status == Status.ENDED
        assert len(mails("membership_canceled")) == 1
        assert Operation.objects.get(kind="cancel_now").state == Operation.State.DONE

    def test_in_the_hour_before_the_renewal_is_charged_lasts_until_midnight(self, joined, clock):
        clock.move_to(factories.moment("2027-03-02T10:30"))
        page = joined.get("/portal/cancel/").content.decode()
        assert "Your membership ends today, 2 March 2027" in page
        joined.post("/portal/cancel/", {"promised": "at_once"})
        membership = Membership.objects.with_facts().get()
        assert standing.at(membership, clock.now) == Standing.CURRENT
        assert Subscription.objects.get().status == "canceled"
        assert sorted(Invoice.objects.values_list("status", flat=True)) == ["paid", "void"]
        clock.move(days=1)
        running_out.see_out(at=clock.now)
        assert Membership.objects.get().status == Status.ENDED


class TestCancelingWhatIsUnpaidAtStripe:
    """Somebody presses Cancel in Stripe's dashboard: there, that is the end of a period nobody has paid for."""

    def cancel_there(self, webhooks) -> None:
        gateway.client().v1.subscriptions.update(Subscription.objects.get().stripe_id, {"cancel_at_period_end": True})
        webhooks()

    def test_ends_it_there_at_once_too_and_drops_the_invoice(self, unpaid, webhooks):
        self.cancel_there(webhooks)
        assert Membership.objects.get().status == Status.ENDED
        tasks.see_out()
        assert gateway.client().v1.subscriptions.retrieve(Subscription.objects.get().stripe_id).status == "canceled"
        assert sorted(Invoice.objects.values_list("status", flat=True)) == ["paid", "void"]
        assert Operation.objects.get(kind="cancel_now").state == Operation.State.DONE
        assert len(mails("membership_canceled")) == 1
        assert breached_once_worked_off() == set()

    def test_is_asked_again_when_stripe_does_not_answer(self, unpaid, webhooks):
        self.cancel_there(webhooks)
        with faults.next_call("DELETE /v1/subscriptions/{id}", lost="request", times=9):
            tasks.see_out()
        assert Subscription.objects.get().status == "past_due"
        tasks.see_out()
        assert Subscription.objects.get().status == "canceled"

    def test_in_the_hour_before_the_charge_charges_nothing(self, joined, clock, webhooks):
        clock.move_to(factories.moment("2027-03-02T10:30"))
        self.cancel_there(webhooks)
        clock.move(minutes=6)
        janitor.look_after(at=clock.now)
        assert Subscription.objects.get().status == "canceled"
        clock.move_to(factories.moment("2027-03-03T10:00"))
        webhooks()
        tasks.see_out()
        assert Membership.objects.get().status == Status.ENDED
        assert sorted(Invoice.objects.values_list("status", flat=True)) == ["paid", "void"]
        assert Term.objects.count() == 1

    def test_of_a_place_that_was_taken_anew_is_found_by_the_sweep(self, unpaid, clock):
        """The process died between the new place and the end of what the earlier one left at Stripe."""
        held = Membership.objects.get()
        Plan.objects.update(grace_days=4)  # less than Stripe goes on trying for
        clock.move_to(factories.moment("2027-03-08T10:00"))
        lifecycle.reserve(member=held.member, plan=held.plan, currency="EUR", at=clock.now, actor="m")
        assert (Membership.objects.get(pk=held.pk).status, at_stripe_is()) == (Status.ENDED, "past_due")
        tasks.see_out()
        assert at_stripe_is() == Subscription.objects.get().status == "canceled"
