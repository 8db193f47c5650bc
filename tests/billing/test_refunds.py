"""Refunds through the real doors: exactly what was quoted, once, with its effect on the term."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing import gateway, janitor, nets, operations, refund_quotes, refunds, sync, tasks
from billing.emulator import faults
from billing.models import Operation, Payment, Refund, Subscription
from billing.refund_policy import Basis, NeedsSecondPerson, TooMuch
from membership import clock as product_clock
from membership import standing
from membership.models import AuditEntry, Membership, Term, TimelineEntry
from tests.billing.conftest import HOUR_AND_A_BIT, mails, renews_at
from tests.invariants import breached

pytestmark = pytest.mark.django_db(transaction=True)
CREATE = "POST /v1/refunds"


def own() -> Membership:
    return Membership.objects.with_facts().latest("pk")


def at_stripe() -> list[tuple[int, str]]:
    made = gateway.client().v1.refunds.list({"limit": 100}).data
    return [(refund.amount, refund.status) for refund in made]


def subscription_at_stripe() -> str:
    return str(gateway.client().v1.subscriptions.retrieve(Subscription.objects.get().stripe_id).status)


def change_mind(clock) -> str:
    """The member's withdrawal, as the confirm page makes it."""
    quote = refund_quotes.offers(membership=own(), at=clock.now)
    return refunds.ask(membership=own(), quote=quote, effect="end_now", at=clock.now, actor="member:1")


def give(clock, amount: int, **fields) -> str:
    """Staff's goodwill."""
    quote = refund_quotes.quote(membership=own(), basis=Basis.GOODWILL, amount=amount, at=clock.now)
    asked = {"effect": "money_only", "reason": "late answer", "actor": "staff:1"} | fields
    return refunds.ask(membership=own(), quote=quote, at=clock.now, **asked)


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


class TestGoodwill:
    def test_gives_money_and_leaves_the_membership(self, joined, clock):
        give(clock, 4000)
        assert (at_stripe(), own().status) == ([(4000, "succeeded")], "active")
        assert subscription_at_stripe() == "active"
        assert "goes on as before" in mails("refund")[0].text

    def test_above_the_limit_waits_for_a_second_person(self, joined, clock):
        with pytest.raises(NeedsSecondPerson):
            give(clock, 5001)
        give(clock, 5001, approved_by="staff:2")
        assert at_stripe() == [(5001, "succeeded")]
        assert Refund.objects.get().approved_by == "staff:2"

    def test_of_two_by_turns_is_never_more_than_was_paid(self, joined, clock):
        for _ in range(2):
            give(clock, 5000)
        with pytest.raises(TooMuch):
            give(clock, 1901)
        assert sum(amount for amount, _ in at_stripe()) == 10000

    def test_may_end_the_membership_at_a_date(self, joined, clock, webhooks):
        day = clock.now.replace(month=6)
        give(clock, 4000, effect="end_at", ends_at=day)
        membership = own()
        assert (membership.status, membership.cut_at, membership.entitled_until) == ("active", day, day)
        assert standing.at(membership, day) == standing.Standing.ENDED
        assert gateway.client().v1.subscriptions.retrieve(Subscription.objects.get().stripe_id).cancel_at_period_end
        assert "until 2 June 2026" in mails("refund")[0].text
        webhooks()
        assert breached() == set()

    def test_cannot_end_it_after_what_was_paid(self, joined, clock):
        with pytest.raises(refunds.NoSuchEnd):
            give(clock, 4000, effect="end_at", ends_at=clock.now.replace(year=2028))
        with pytest.raises(refunds.NoSuchEnd):
            give(clock, 4000, effect="end_at", ends_at=clock.now)


class TestAnEndAtADate:
    """What was decided with money back stands, whatever is pressed in Stripe's dashboard."""

    @pytest.fixture
    def ending(self, joined, clock, webhooks):
        give(clock, 4000, effect="end_at", ends_at=clock.now.replace(month=6))
        webhooks()
        return joined

    def renew_there(self) -> None:
        gateway.client().v1.subscriptions.update(Subscription.objects.get().stripe_id, {"cancel_at_period_end": False})

    def stops_there(self) -> bool:
        found = gateway.client().v1.subscriptions.retrieve(Subscription.objects.get().stripe_id)
        return bool(found.cancel_at_period_end)

    def test_is_not_taken_back_at_stripe(self, ending, webhooks):
        for _turn in range(2):
            self.renew_there()
            webhooks("duplicated")
            assert self.stops_there()
        assert own().canceled_at
        assert not own().renewal_expected
        assert not mails("membership_stays")
        assert not Operation.objects.exclude(state="done").exists()

    def test_is_noted_again_though_stripe_does_not_answer(self, ending, webhooks, clock):
        self.renew_there()
        with faults.next_call("POST /v1/subscriptions/{id}", lost="request", times=9):
            webhooks()
        assert not self.stops_there()
        tasks.look_after_checkouts()
        assert self.stops_there()

    def test_takes_no_renewal(self, ending, webhooks, clock):
        self.renew_there()
        clock.move_to(renews_at() + HOUR_AND_A_BIT)
        webhooks()
        assert Term.objects.count() == 1
        assert sorted(amount for amount, _ in at_stripe()) == [4000, 11900]
        assert subscription_at_stripe() == "canceled"
        assert own().entitled_until == own().cut_at
        tasks.see_out()
        assert (own().status, own().end_reason) == ("ended", "refunded")

    def test_cannot_be_decided_when_the_next_period_has_begun(self, joined, clock):
        quote = refund_quotes.quote(membership=own(), basis=Basis.GOODWILL, amount=4000, at=clock.now)
        clock.move_to(renews_at() + timedelta(minutes=30))
        ends_at = clock.now + timedelta(hours=2)
        asked = {"effect": "end_at", "ends_at": ends_at, "reason": "late answer", "actor": "staff:1"}
        with pytest.raises(refunds.NoSuchEnd):
            refunds.ask(membership=own(), quote=quote, at=clock.now, **asked)


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
