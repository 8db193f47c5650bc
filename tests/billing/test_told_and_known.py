"""What a member is told of money, and what our own rows know of it at once, without a webhook."""

from __future__ import annotations

import pytest

from billing import gateway, refund_quotes, refunds, sync
from billing.emulator import disputes as bank
from billing.emulator import faults
from billing.models import Payment, Refund, Subscription
from membership.models import Membership
from tests.billing.conftest import mails
from tests.billing.refunding import give
from tests.billing.test_join import _another_paid_subscription

pytestmark = pytest.mark.django_db(transaction=True)


def text_of(kind: str) -> str:
    [letter] = mails(kind)
    return letter.text.replace("\xa0", " ")


def test_a_receipt_names_the_next_charge(joined):
    assert "Your next payment of € 119.00 is on 2 March 2027." in text_of("receipt")


def test_a_dispute_is_told_once_with_what_it_means(joined, webhooks):
    webhooks()
    bank.open_on(Payment.objects.get().stripe_id, reason="fraudulent")
    webhooks("duplicated")
    assert "your payment of € 119.00 of 2 March 2026 is contested" in text_of("dispute_opened")


def test_money_without_a_place_is_known_to_be_given_back(joined, ada):
    assert not sync.subscription(_another_paid_subscription(ada))
    refund = Refund.objects.get()
    assert (refund.basis, refund.state, refund.payment.returned) == ("misplaced", "succeeded", 11900)


def test_an_end_at_a_date_is_known_to_stop_the_renewal(joined, clock, webhooks):
    webhooks()
    give(clock, 4000, effect="end_at", ends_at=clock.now.replace(month=6))
    assert Subscription.objects.get().ends_by_itself


def test_an_end_whose_refund_is_refused_is_told_as_the_cancellation_it_is(joined, clock, webhooks):
    webhooks()
    membership = Membership.objects.with_facts().get()
    quote = refund_quotes.offers(membership=membership, at=clock.now)

    def in_the_dashboard() -> None:
        webhooks()  # the subscription's end is heard of before the refund is answered
        gateway.client().v1.refunds.create({"payment_intent": Payment.objects.get().intent_id, "amount": 5000})

    with faults.next_call("POST /v1/refunds", during=in_the_dashboard):
        refunds.ask(membership=membership, quote=quote, effect="end_now", at=clock.now, actor="member:1")
    assert Refund.objects.get(basis="cooling_off").state == "refused"
    assert not Membership.objects.get().renewal_expected
    assert "your cancellation is confirmed" in text_of("membership_canceled")
