"""Goodwill: money that staff give back, and the end at a date that may come with it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing import gateway, refund_quotes, refunds, tasks
from billing.emulator import faults
from billing.models import Operation, Refund, Subscription
from billing.refund_policy import Basis, NeedsSecondPerson, TooMuch
from membership import standing
from membership.models import Term
from tests.billing.conftest import HOUR_AND_A_BIT, mails, renews_at
from tests.billing.refunding import at_stripe, give, own, subscription_at_stripe
from tests.invariants import breached

pytestmark = pytest.mark.django_db(transaction=True)


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
            give(clock, 5000, approved_by="staff:2")
        with pytest.raises(TooMuch):
            give(clock, 1901, approved_by="staff:2")
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
