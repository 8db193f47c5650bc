"""Canceling while something else happens: in two tabs, while the renewal is paid; and with each defence off."""

from __future__ import annotations

import pytest
from django.test import Client

from billing import farewell, gateway
from billing.emulator import faults
from billing.models import Operation, Subscription
from membership import standing
from membership.models import Membership, Status, Term, TimelineEntry
from membership.standing import Standing
from tests import factories
from tests.billing.conftest import mails, spoil_the_card
from tests.billing.test_misfortunes import refunded
from tests.billing.test_races import at_once
from tests.invariants import breached, breached_once_worked_off

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 3


@pytest.fixture
def unpaid(joined, clock, webhooks):
    spoil_the_card()
    clock.move_to(factories.moment("2027-03-05T10:00"))
    webhooks()
    return joined


def pay_the_renewal() -> None:
    """The member pays the open invoice with another card, at Stripe; we have not heard of it yet."""
    stripe = gateway.client().v1
    subscription = stripe.subscriptions.retrieve(Subscription.objects.get().stripe_id)
    (invoice,) = stripe.invoices.list({"subscription": subscription.id, "status": "open"}).data
    card = stripe.payment_methods.attach("pm_card_visa", {"customer": str(subscription.customer)})
    stripe.invoices.pay(invoice.id, {"payment_method": card.id})


def end_at_once(visitor: Client) -> int:
    return visitor.post("/portal/cancel/", {"promised": "at_once"}).status_code


class TestTwoTabs:
    def test_cancel_once_and_say_so_once(self, joined):
        for turn in range(1, ROUNDS + 1):
            answers = at_once(*[lambda: joined.post("/portal/cancel/")] * 2)
            assert not [a for a in answers if isinstance(a, Exception)]
            assert TimelineEntry.objects.filter(kind="membership.cancel").count() == turn
            joined.post("/portal/stay/")
        assert breached() == set()

    def test_with_the_defence_off_say_it_twice(self, joined, clock, monkeypatch):
        monkeypatch.setattr(farewell, "_is_news", lambda membership: True)
        joined.post("/portal/cancel/")
        clock.move(seconds=1)
        joined.post("/portal/cancel/")
        assert len(mails("membership_canceled")) == 2

    def test_of_which_one_cancels_and_one_stays_agree_with_stripe_in_the_end(self, joined, webhooks):
        joined.post("/portal/cancel/")
        at_once(lambda: joined.post("/portal/cancel/"), lambda: joined.post("/portal/stay/"))
        webhooks("shuffled", 5)
        there = gateway.client().v1.subscriptions.retrieve(Subscription.objects.get().stripe_id)
        assert (Membership.objects.get().canceled_at is not None) == bool(there.cancel_at_period_end)
        assert breached() == set()

    def test_end_an_unpaid_one_once(self, unpaid):
        at_once(*[lambda: end_at_once(unpaid)] * 2)
        assert Membership.objects.get().status == Status.ENDED
        assert len(mails("membership_canceled")) == 1
        assert Operation.objects.filter(kind="cancel_now").count() == 1


class TestWhileTheRenewalIsPaid:
    def test_before_the_click_what_is_paid_stands_and_the_page_says_so(self, unpaid, clock):
        pay_the_renewal()
        answer = unpaid.post("/portal/cancel/", {"promised": "at_once"})
        assert answer.status_code == 409
        assert "runs until 2 March 2028" in answer.content.decode()
        assert standing.at(Membership.objects.with_facts().get(), clock.now) == Standing.CURRENT

    def test_after_the_click_the_money_goes_back(self, unpaid, webhooks):
        with faults.next_call("DELETE /v1/subscriptions/{id}", during=pay_the_renewal):
            end_at_once(unpaid)
        webhooks("shuffled", 2)
        webhooks()  # of the refund that came of it
        assert Membership.objects.get().status == Status.ENDED
        assert Term.objects.count() == 1
        assert refunded() == [11900]
        (letter,) = mails("payment_given_back")
        assert "reached us after your membership had been ended" in letter.text
        assert breached_once_worked_off() == set()

    def test_after_the_click_and_a_webhook_that_is_faster_the_money_goes_back_too(self, unpaid, webhooks):
        def paid_and_told() -> None:
            pay_the_renewal()
            webhooks()

        with faults.next_call("DELETE /v1/subscriptions/{id}", during=paid_and_told):
            end_at_once(unpaid)
        webhooks()
        webhooks()  # of the refund that came of it
        assert Membership.objects.get().status == Status.ENDED
        assert (Term.objects.count(), refunded()) == (1, [11900])
        assert len(mails("membership_canceled")) == 1
        assert breached_once_worked_off() == set()

    def test_with_the_defence_off_is_charged_although_nothing_was_to_be(self, unpaid, webhooks, monkeypatch):
        monkeypatch.setattr(farewell, "wanted_now", lambda subscription_id: False)
        with faults.next_call("DELETE /v1/subscriptions/{id}", during=pay_the_renewal):
            end_at_once(unpaid)
        webhooks()
        assert refunded() == []
        assert Term.objects.count() == 2


class TestACrash:
    def test_after_stripe_canceled_is_healed_by_its_event_alone(self, unpaid, webhooks):
        with faults.next_call("DELETE /v1/subscriptions/{id}", lost="answer", times=9):
            assert end_at_once(unpaid) == 503
        webhooks("duplicated")
        assert Membership.objects.get().status == Status.ENDED
        assert len(mails("membership_canceled")) == 1
