"""Refunds through the real doors: exactly what was quoted, once, with its effect on the term."""

from __future__ import annotations

import pytest

from billing import gateway, janitor, nets, operations, refund_quotes, refunds, sync
from billing.emulator import faults
from billing.models import Operation, Payment, Refund, Subscription
from billing.refund_policy import Basis
from membership import clock as product_clock
from membership import standing
from membership.models import AuditEntry, TimelineEntry
from tests.billing.conftest import mails
from tests.billing.refunding import at_stripe, change_mind, give, own, subscription_at_stripe
from tests.invariants import breached

pytestmark = pytest.mark.django_db(transaction=True)
CREATE = "POST /v1/refunds"


class TestThePayment:
    def test_is_mirrored_with_its_invoice(self, joined):
        payment = Payment.objects.get()
        assert (payment.captured, payment.returned, payment.disputed) == (11900, 0, 0)
        assert payment.invoice.number


class TestChangingOnesMind:
    def test_gives_all_back_cancels_and_ends(self, joined, clock):
        change_mind(clock)
        assert at_stripe() == [(11900, "succeeded")]
        assert subscription_at_stripe() == "canceled"
        membership = own()
        assert (membership.status, membership.end_reason, membership.cut_at) == ("ended", "refunded", clock.now)
        assert standing.at(membership, clock.now) == standing.Standing.ENDED
        refund = Refund.objects.get()
        assert (refund.basis, refund.state, refund.effect) == ("cooling_off", "succeeded", "end_now")
        assert Payment.objects.get().returned == 11900
        assert breached() == set()

    def test_writes_one_letter_and_keeps_the_proof(self, joined, clock):
        change_mind(clock)
        (letter,) = mails("refund")
        assert "€ 119.00" in letter.subject
        assert "has ended" in letter.text
        assert AuditEntry.objects.filter(verb="refund", actor="member:1").count() == 1
        assert set(TimelineEntry.objects.values_list("kind", flat=True)) >= {"refund.decided", "refund.succeeded"}
        AuditEntry.objects.filter(verb="refund").delete()
        assert breached() == {"I17"}

    def test_twice_gives_back_once(self, joined, clock):
        quote = refund_quotes.offers(membership=own(), at=clock.now)
        asked = {"membership": own(), "quote": quote, "effect": "end_now", "at": clock.now, "actor": "member:1"}
        assert refunds.ask(**asked) == refunds.ask(**asked)
        assert at_stripe() == [(11900, "succeeded")]

    def test_stays_the_same_whatever_the_webhooks_say(self, joined, clock, webhooks):
        change_mind(clock)
        for mode in ("in_order", "reversed", "duplicated"):
            webhooks(mode)
        assert at_stripe() == [(11900, "succeeded")]
        assert own().end_reason == "refunded"
        assert Refund.objects.count() == len(mails("refund")) == 1
        assert Operation.objects.exclude(state="done").count() == 0
        assert breached() == set()


class TestALostAnswer:
    def test_leaves_it_decided_and_the_sweep_goes_on(self, joined, clock):
        with faults.next_call(CREATE, lost="answer", times=9), pytest.raises(gateway.StripeUnavailable):
            change_mind(clock)
        assert own().status == "active"
        nets.finish_refunds(at=clock.now)
        assert at_stripe() == [(11900, "succeeded")]
        assert own().end_reason == "refunded"
        assert not refunds.unfinished(at=clock.now)

    def test_is_healed_by_the_webhook_that_comes_first(self, joined, clock, webhooks):
        with faults.next_call(CREATE, lost="answer", times=9), pytest.raises(gateway.StripeUnavailable):
            change_mind(clock)
        webhooks("shuffled", 3)
        assert own().end_reason == "refunded"
        assert (Refund.objects.get().basis, Refund.objects.get().state) == ("cooling_off", "succeeded")
        assert not refunds.unfinished(at=clock.now)
        assert at_stripe() == [(11900, "succeeded")]

    def test_of_the_cancellation_gives_nothing_back_yet(self, joined, clock):
        cancel = "DELETE /v1/subscriptions/{id}"
        with faults.next_call(cancel, lost="request", times=9), pytest.raises(gateway.StripeUnavailable):
            change_mind(clock)
        assert (at_stripe(), own().status) == ([], "active")
        nets.finish_refunds(at=clock.now)
        assert at_stripe() == [(11900, "succeeded")]
        assert (own().end_reason, subscription_at_stripe()) == ("refunded", "canceled")

    def test_writes_no_letter_of_a_membership_that_runs_on(self, joined, clock, webhooks):
        with faults.next_call(CREATE, lost="request", times=9), pytest.raises(gateway.StripeUnavailable):
            change_mind(clock)
        webhooks()  # its subscription is canceled, and nothing was given back yet
        assert (own().status, own().canceled_at) == ("active", clock.now)
        assert mails("membership_canceled") == []
        nets.finish_refunds(at=clock.now)
        assert (mails("membership_canceled"), len(mails("refund"))) == ([], 1)

    def test_a_day_later_is_looked_up_and_not_made_again(self, joined, clock, monkeypatch):
        with faults.next_call(CREATE, lost="answer", times=9), pytest.raises(gateway.StripeUnavailable):
            give(clock, 4000)
        Operation.objects.filter(kind="refund").update(key="forgotten", key_good_until=product_clock.wall())
        nets.finish_refunds(at=clock.now)
        assert at_stripe() == [(4000, "succeeded")]

    def test_of_a_call_that_never_came_is_asked_anew_a_day_later(self, joined, clock):
        with faults.next_call(CREATE, lost="request", times=9), pytest.raises(gateway.StripeUnavailable):
            give(clock, 4000)
        Operation.objects.filter(kind="refund").update(key_good_until=product_clock.wall())
        clock.move(days=2)
        janitor.look_after(at=clock.now)
        assert at_stripe() == [(4000, "succeeded")]
        states = Operation.objects.filter(kind="refund").order_by("pk").values_list("state", flat=True)
        assert list(states) == ["refused", "done"]


class TestARefusal:
    def test_ends_nothing_and_is_shown_to_staff(self, joined, clock):
        payment = Payment.objects.get()
        quote = refund_quotes.offers(membership=own(), at=clock.now)
        with faults.next_call(CREATE, during=lambda: _in_the_dashboard(payment, 5000)):
            refunds.ask(membership=own(), quote=quote, effect="end_now", at=clock.now, actor="member:1")
        refund = Refund.objects.get(basis="cooling_off")
        assert (refund.state, own().status) == ("refused", "active")
        assert "greater than unrefunded amount" in refund.said
        assert TimelineEntry.objects.filter(kind="refund.refused").count() == 1
        sync.subscription(Subscription.objects.get().stripe_id)
        assert Payment.objects.get().returned == 5000

    @pytest.mark.parametrize("status", [401, 403])
    def test_of_our_key_ends_no_decision(self, joined, clock, status):
        with faults.next_call(CREATE, status=status, times=9), pytest.raises(gateway.StripeUnavailable):
            change_mind(clock)
        assert (Refund.objects.get().state, own().status) == ("noted", "active")
        nets.finish_refunds(at=clock.now)
        assert (Refund.objects.get().state, own().end_reason) == ("succeeded", "refunded")

    def test_for_lack_of_money_is_asked_again_under_another_key(self, joined, clock, monkeypatch):
        real = operations.create

        def refuses(function, operation):
            operations._answered(operation, Operation.State.REFUSED, error="Insufficient funds in your Stripe balance")
            raise gateway.StripeRefused(code="balance_insufficient", said="Insufficient funds")

        monkeypatch.setattr(operations, "create", refuses)
        decision = change_mind(clock)
        assert Refund.objects.get().state == "noted"
        assert not refunds.unfinished(at=clock.now)
        monkeypatch.setattr(operations, "create", real)
        clock.move(hours=2)
        assert [row.decision for row in refunds.unfinished(at=clock.now)] == [decision]
        refunds.carry_out(decision)
        assert (Refund.objects.get().state, own().end_reason) == ("succeeded", "refunded")
        assert Operation.objects.filter(kind="refund").count() == 2


def _in_the_dashboard(payment: Payment, amount: int | None = None) -> None:
    """A refund that our own call knows nothing of."""
    params = {"payment_intent": payment.intent_id} | ({"amount": amount} if amount else {})
    gateway.client().v1.refunds.create(params)


class TestAQuote:
    def test_is_executed_exactly_or_not_at_all(self, joined, clock):
        quote = refund_quotes.offers(membership=own(), at=clock.now)
        give(clock, 4000)
        with pytest.raises(refunds.QuoteChanged):
            refunds.ask(membership=own(), quote=quote, effect="end_now", at=clock.now, actor="member:1")
        assert at_stripe() == [(4000, "succeeded")]

    def test_of_the_house_follows_the_law_when_its_days_are_over(self, joined, clock):
        clock.move(days=15)
        quote = refund_quotes.offers(membership=own(), at=clock.now)
        assert (quote.basis, quote.amount) == (Basis.HOUSE, 11900 * 349 // 365)

    def test_is_none_where_the_programme_gives_none(self, joined, clock, settings):
        settings.HOUSE_REFUNDS = False
        clock.move(days=15)
        assert refund_quotes.offers(membership=own(), at=clock.now) is None
