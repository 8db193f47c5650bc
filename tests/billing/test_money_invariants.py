"""I7, I8, I9 and I12, each broken by hand: exactly that rule is reported; a constraint is seen to refuse first."""

from __future__ import annotations

import io
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from billing import gateway
from billing.emulator import faults, store
from billing.models import Invoice, InvoiceLine, Operation, Payment, Subscription
from membership import clock as product_clock
from membership import lifecycle
from membership.models import Membership
from tests.billing.conftest import come_back, go_to_pay, pay
from tests.invariants import breached, without_constraint

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def joined(visitor):
    pay(go_to_pay(visitor))
    come_back(visitor)
    assert breached() == set()
    return visitor


def report(*args: str) -> tuple[dict, int]:
    out, code = io.StringIO(), 0
    try:
        call_command("check_invariants", *args, stdout=out)
    except CommandError as error:
        code = error.returncode
    return json.loads(out.getvalue()), code


class TestI7:
    def test_an_amount_that_differs_from_stripes(self):
        Invoice.objects.update(amount_paid=11800)
        assert breached() == {"I7"}

    def test_a_payment_that_differs(self):
        Payment.objects.update(captured=1)
        assert breached() == {"I7"}

    def test_a_payment_that_is_not_at_stripe(self):
        store.of("charge").delete()
        assert breached() == {"I7"}

    def test_a_refund_that_is_not_here(self):
        payment = Payment.objects.get()
        gateway.client().v1.refunds.create({"payment_intent": payment.intent_id, "amount": 100})
        assert breached() == {"I7"}

    def test_more_back_than_was_paid_is_refused_and_reported(self):
        with pytest.raises(IntegrityError), transaction.atomic():
            Payment.objects.update(returned=11901)
        with without_constraint(Payment, "no_more_goes_back_than_was_paid"):
            Payment.objects.update(returned=11901)
            assert breached() == {"I7"}


class TestI8:
    def test_a_renewal_expected_that_nothing_will_charge(self):
        gateway.client().v1.subscriptions.cancel(Subscription.objects.get().stripe_id)
        Subscription.objects.update(status="canceled")
        assert breached() == {"I8"}

    def test_a_subscription_alive_here_only(self):
        store.of("subscription").delete()
        assert breached() == {"I8"}

    def test_a_subscription_alive_at_stripe_only(self):
        Subscription.objects.update(status="canceled")
        Membership.objects.update(renewal_expected=False, canceled_at=product_clock.now())
        assert "I8" in breached()

    def test_two_live_ones_of_a_membership_are_refused(self):
        first = Subscription.objects.get()
        again = {f: getattr(first, f) for f in ("membership", "status", "price", "read_at")}
        with pytest.raises(IntegrityError), transaction.atomic():
            Subscription.objects.create(stripe_id="sub_other", **again)
        with without_constraint(Subscription, "one_live_subscription_per_membership"):
            Subscription.objects.create(stripe_id="sub_other", **again)
            assert breached() == {"I8"}


class TestI9:
    def test_a_subscription_that_outlives_its_membership(self):
        at = product_clock.now()
        lifecycle.end(membership=Membership.objects.get(), reason="staff", at=at, actor="staff:1")
        assert breached() == {"I9"}

    def test_money_taken_after_the_end_and_kept(self):
        at = product_clock.now()
        gateway.client().v1.subscriptions.cancel(Subscription.objects.get().stripe_id)
        lifecycle.end(membership=Membership.objects.get(), reason="staff", at=at, actor="staff:1")
        Subscription.objects.update(status="canceled")
        assert breached() == set()
        Payment.objects.update(paid_at=at + timedelta(days=1))
        assert breached() == {"I9"}


class TestI12:
    def test_an_operation_nobody_ended(self):
        Operation.objects.filter(kind="customer").update(
            state="unknown", asked_at=product_clock.now() - timedelta(hours=25)
        )
        assert breached() == {"I12"}

    def test_a_key_used_twice_is_refused(self):
        again = {"kind": "x", "asked_at": product_clock.now(), "state": "done", "key": Operation.objects.first().key}
        with pytest.raises(IntegrityError), transaction.atomic():
            Operation.objects.create(**again)


class TestI15:
    def test_a_line_that_gives_more_off_than_it_costs_is_refused(self):
        with pytest.raises(IntegrityError), transaction.atomic():
            InvoiceLine.objects.update(discount=99_999)

    def test_a_payment_below_zero_is_refused(self):
        with pytest.raises(IntegrityError), transaction.atomic():
            Invoice.objects.update(amount_paid=-1)


class TestOffline:
    def test_leaves_out_what_must_ask_stripe_and_says_so(self):
        Invoice.objects.update(amount_paid=11800)
        told, code = report("--offline")
        assert (code, told["breaches"]) == (0, [])
        assert any(left.startswith("I7") and "Stripe" in left for left in told["left_out"])

    def test_a_stripe_that_does_not_answer_is_unchecked_not_broken(self):
        with faults.next_call("GET /v1/{list}", lost="request", times=99):
            told, code = report()
        assert (code, told["breaches"]) == (2, [])
        assert {line[:2] for line in told["unchecked"]} == {"I7", "I8"}
