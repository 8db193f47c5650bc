"""Disputes and refunds made at Stripe, as its webhooks tell of them, in any order; and the till that hears of them."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.test import Client

from billing import gateway, nets
from billing.emulator import disputes as bank
from billing.emulator import faults
from billing.models import Dispute, Operation, Payment, Refund, Subscription
from membership import lifecycle, standing
from membership.models import Membership, Stop, TimelineEntry
from perks import keys, programme
from tests.billing.conftest import come_back, go_to_pay, mails, pay
from tests.billing.refunding import change_mind
from tests.invariants import breached_once_worked_off
from tests.perks.conftest import Shop, basket

pytestmark = pytest.mark.django_db(transaction=True)
MODES = [("in_order", 1), ("reversed", 1), ("shuffled", 7), ("duplicated", 1)]


@pytest.fixture
def joined(visitor, webhooks):
    pay(go_to_pay(visitor))
    come_back(visitor)
    webhooks()
    return visitor


def own() -> Membership:
    return Membership.objects.with_facts().latest("pk")


def now(clock) -> str:
    return standing.at(own(), clock.now).value


def subscription_at_stripe() -> str:
    return str(gateway.client().v1.subscriptions.retrieve(Subscription.objects.get().stripe_id).status)


def dispute(reason: str = "fraudulent") -> str:
    return str(bank.open_on(Payment.objects.get().stripe_id, reason=reason).stripe_id)


def kinds() -> set[str]:
    return set(TimelineEntry.objects.values_list("kind", flat=True))


class TestADispute:
    @pytest.mark.parametrize(("mode", "seed"), MODES)
    def test_holds_the_perks_as_soon_as_it_is_opened(self, joined, clock, webhooks, mode, seed):
        dispute()
        webhooks(mode, seed)
        assert now(clock) == "suspended"
        assert Payment.objects.get().disputed == 11900
        assert kinds() >= {"dispute.needs_response", "membership.suspend"}
        assert breached_once_worked_off() == set()

    @pytest.mark.parametrize("seen_out_first", [True, False])
    def test_of_a_membership_that_has_run_out_holds_nothing(self, joined, clock, webhooks, seen_out_first):
        joined.post("/portal/cancel/")
        clock.move(days=367)
        if seen_out_first:
            call_command("tick")
        dispute()
        webhooks()
        call_command("tick")
        assert (now(clock), Stop.objects.count()) == ("lapsed", 0)
        assert Payment.objects.get().disputed == 11900
        assert not mails("dispute_opened")

    @pytest.mark.parametrize(("mode", "seed"), MODES)
    def test_that_is_won_gives_them_back(self, joined, clock, webhooks, mode, seed):
        found = dispute()
        webhooks(mode, seed)
        bank.win(found)
        webhooks(mode, seed)
        assert (now(clock), Payment.objects.get().disputed, subscription_at_stripe()) == ("current", 0, "active")
        assert Dispute.objects.get().closed_at == clock.now

    @pytest.mark.parametrize(("mode", "seed"), MODES)
    def test_that_is_lost_ends_the_membership(self, joined, clock, webhooks, mode, seed):
        bank.lose(dispute())
        webhooks(mode, seed)
        membership = own()
        assert (membership.end_reason, membership.cut_at) == ("dispute_lost", clock.now)
        assert (now(clock), subscription_at_stripe()) == ("ended", "canceled")
        assert Operation.objects.exclude(state="done").count() == 0
        assert breached_once_worked_off() == set()

    def test_that_is_lost_while_stripe_is_away_ends_all_the_same(self, joined, clock, webhooks):
        bank.lose(dispute())
        with faults.next_call("DELETE /v1/subscriptions/{id}", lost="request", times=99):
            webhooks()
        assert (now(clock), subscription_at_stripe()) == ("ended", "active")
        nets.finish_refunds(at=clock.now)
        assert subscription_at_stripe() == "canceled"

    def test_lifts_its_own_stop_and_never_that_of_staff(self, joined, clock, webhooks):
        found = dispute()
        webhooks()
        lifecycle.suspend(membership=own(), source="staff", source_ref="note:1", at=clock.now, actor="staff:1")
        bank.win(found)
        webhooks()
        assert now(clock) == "suspended"
        lifecycle.lift(membership=own(), source="staff", source_ref="note:1", at=clock.now, actor="staff:1")
        assert now(clock) == "current"

    def test_goes_on_when_staff_lift_theirs(self, joined, clock, webhooks):
        dispute()
        webhooks()
        lifecycle.suspend(membership=own(), source="staff", source_ref="note:1", at=clock.now, actor="staff:1")
        lifecycle.lift(membership=own(), source="staff", source_ref="note:1", at=clock.now, actor="staff:1")
        assert now(clock) == "suspended"

    def test_over_a_term_that_is_over_anyway_ends_nothing_when_lost(self, joined, clock, webhooks, ada, monkeypatch):
        lifecycle.extend(membership=own(), days=400, source_ref="goodwill:1", at=clock.now, actor="staff:1")
        found = dispute()
        webhooks()
        clock.move(days=370)
        bank.lose(found)
        webhooks()
        assert own().end_reason == ""
        assert now(clock) == "current"

    def test_makes_a_refund_impossible(self, joined, webhooks):
        dispute()
        webhooks()
        assert "nothing to give back" in joined.get("/portal/refund/").content.decode()


class TestAnInquiry:
    def test_stops_nothing(self, joined, clock, webhooks):
        dispute("inquiry")
        webhooks()
        assert (now(clock), Payment.objects.get().disputed) == ("current", 0)
        assert Dispute.objects.get().is_inquiry
        assert "dispute.warning_needs_response" in kinds()


class TestTheTill:
    """A perk check at a shop, with all that its process remembers from one second to the next."""

    @pytest.fixture
    def ask(self, on_sale, clock, joined):
        programme.load(programme=programme.read("laurel"), at=clock.now)
        key = keys.create(shop_name="Loden & Sons", scopes=list(keys.SCOPES), at=clock.now, actor="test")
        shop = Shop(Client(), key)
        return lambda: shop.check(member={"number": own().member.number}, basket=basket())["member"]["standing"]

    def test_says_no_at_once_and_yes_when_it_is_won(self, ask, webhooks):
        assert ask() == "current"
        found = dispute()
        webhooks()
        assert ask() == "suspended"
        bank.win(found)
        webhooks()
        assert ask() == "current"

    def test_says_no_at_once_after_a_refund_at_stripe(self, ask, webhooks):
        assert ask() == "current"
        gateway.client().v1.refunds.create({"payment_intent": Payment.objects.get().intent_id})
        webhooks()
        assert ask() == "ended"


class TestARefundMadeAtStripe:
    def make(self, amount: int | None = None) -> None:
        params = {"payment_intent": Payment.objects.get().intent_id} | ({"amount": amount} if amount else {})
        gateway.client().v1.refunds.create(params)

    @pytest.mark.parametrize(("mode", "seed"), MODES)
    def test_of_a_part_is_money_alone(self, joined, clock, webhooks, mode, seed):
        self.make(4000)
        webhooks(mode, seed)
        refund = Refund.objects.get()
        assert (refund.basis, refund.effect, refund.amount, refund.state) == ("stripe", "money_only", 4000, "succeeded")
        assert (now(clock), Payment.objects.get().returned) == ("current", 4000)
        assert len(mails("refund")) == 1
        assert "refund.succeeded" in kinds()
        assert breached_once_worked_off() == set()

    @pytest.mark.parametrize(("mode", "seed"), MODES)
    def test_of_the_whole_ends_the_membership(self, joined, clock, webhooks, mode, seed):
        self.make()
        webhooks(mode, seed)
        membership = own()
        assert (membership.end_reason, membership.cut_at, now(clock)) == ("refunded", clock.now, "ended")
        assert subscription_at_stripe() == "canceled"
        assert len(mails("refund")) == 1
        assert breached_once_worked_off() == set()

    def test_of_the_rest_ends_it_too(self, joined, clock, webhooks):
        self.make(4000)
        webhooks()
        assert now(clock) == "current"
        self.make()
        webhooks()
        assert now(clock) == "ended"

    def test_of_a_year_gone_by_ends_nothing(self, joined, clock, webhooks):
        lifecycle.extend(membership=own(), days=400, source_ref="goodwill:1", at=clock.now, actor="staff:1")
        clock.move(days=370)
        self.make()
        webhooks()
        assert now(clock) == "current"
        assert Refund.objects.get().effect == "money_only"


class TestARefundThatFails:
    @pytest.fixture
    def joined(self, visitor, webhooks):
        pay(go_to_pay(visitor), "4000000000005126")
        come_back(visitor)
        webhooks()
        return visitor

    def test_does_not_count_as_paid_back_and_is_told(self, joined, clock, webhooks):
        change_mind(clock)
        clock.move(days=1)
        webhooks()
        refund = Refund.objects.get()
        assert (refund.state, Payment.objects.get().returned) == ("failed", 0)
        assert refund.said
        assert "refund.failed" in kinds()
        assert len(mails("refund_failed")) == 1
        assert own().end_reason == "refunded"
        assert breached_once_worked_off() == set()
