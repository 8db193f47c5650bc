"""What a stop does to time and money: grace stands still, nothing is tried, and what is collected later is fair."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing import gateway, holds
from billing.emulator import disputes as bank
from billing.models import Invoice, Payment, Subscription
from membership import standing
from membership.models import Membership, Message, Term
from tests import factories
from tests.billing.conftest import GOOD, come_back, go_to_pay, pay, renews_at
from tests.emulator import people
from tests.invariants import breached_once_worked_off

pytestmark = pytest.mark.django_db(transaction=True)


def own() -> Membership:
    return Membership.objects.with_facts().get()


def now_is(clock) -> str:
    return standing.at(own(), clock.now).value


def hold(clock) -> None:
    holds.suspend(membership=own(), reason="asks for proof", at=clock.now, actor="staff:1")


def lift(clock) -> None:
    holds.lift(membership=own(), reason="proof received", at=clock.now, actor="staff:1")


def customer() -> str:
    return str(own().member.customer.stripe_id)


def at_stripe() -> list[str]:
    """The statuses of all invoices at Stripe, oldest first."""
    asked = {"subscription": Subscription.objects.get().stripe_id}
    return [i["status"] for i in gateway.read_all(gateway.client().v1.invoices.list, asked)][::-1]


@pytest.fixture
def contested_in_grace(fails, live):
    """Ada's renewal has failed; nine days later her bank contests what she paid a year ago. -> the dispute"""
    fails()
    live(renews_at() + timedelta(days=9))
    found = str(bank.open_on(Payment.objects.get().stripe_id, reason="fraudulent").stripe_id)
    live(renews_at() + timedelta(days=9, hours=1))
    return found


class TestGrace:
    def test_stands_still_under_a_stop_and_goes_on_when_it_is_lifted(self, contested_in_grace, live, clock):
        live(renews_at() + timedelta(days=15))
        assert now_is(clock) == "suspended"
        bank.win(contested_in_grace)
        live(renews_at() + timedelta(days=15, hours=1))
        assert now_is(clock) == "grace"
        assert standing.grace_until(own()) - clock.now > timedelta(days=5)
        assert Subscription.objects.get().status == "past_due"
        assert breached_once_worked_off() == set()

    def test_is_warned_of_when_its_end_comes_near_and_ends_once(self, contested_in_grace, live, clock):
        live(renews_at() + timedelta(days=15))
        bank.win(contested_in_grace)
        live(renews_at() + timedelta(days=15, hours=1))
        assert not Message.objects.filter(kind__in=["dunning_grace_ending", "dunning_ended"]).exists()
        live(renews_at() + timedelta(days=18))
        assert Message.objects.filter(kind="dunning_grace_ending").count() == 1
        live(renews_at() + timedelta(days=23))
        assert (own().status, now_is(clock)) == ("ended", "lapsed")
        assert Message.objects.filter(kind="dunning_ended").count() == 1
        assert breached_once_worked_off() == set()

    def test_is_saved_by_a_payment_after_the_stop(self, contested_in_grace, live, clock):
        live(renews_at() + timedelta(days=15))
        people.turn_cards(customer(), GOOD)
        bank.win(contested_in_grace)
        live(renews_at() + timedelta(days=15, hours=1))
        live(renews_at() + timedelta(days=15, hours=2))
        assert (now_is(clock), Term.objects.count()) == ("current", 2)

    def test_that_is_over_is_not_brought_back_by_a_later_stop(self, fails, live, clock, settings):
        settings.LOCAL_STRIPE = {**settings.LOCAL_STRIPE, "AFTER_RETRIES": "past_due"}
        fails()
        live(renews_at() + timedelta(days=4))
        over = standing.grace_until(own())
        clock.move_to(over + timedelta(days=1))
        hold(clock)
        clock.move(days=3)
        lift(clock)
        assert standing.grace_until(own()) == over
        assert now_is(clock) == "lapsed"


class TestWhatIsUnpaid:
    def test_is_not_tried_under_a_stop_and_is_when_it_is_lifted(self, fails, live, clock):
        fails()
        hold(clock)
        tries = Invoice.objects.get(status="open").attempts
        live(renews_at() + timedelta(days=10))
        assert Invoice.objects.get(status="open").attempts == tries
        lift(clock)
        live(renews_at() + timedelta(days=10, hours=1))
        assert Invoice.objects.get(status="open").attempts > tries

    def test_and_still_a_draft_when_the_stop_comes_is_kept_one(self, joined, live, clock):
        live(renews_at() + timedelta(minutes=20))
        hold(clock)
        live(renews_at() + timedelta(days=2))
        assert at_stripe() == ["paid", "draft"]
        lift(clock)
        live(renews_at() + timedelta(days=2, hours=2))
        assert (at_stripe(), Term.objects.count()) == (["paid", "paid"], 2)

    def test_and_kept_back_by_hand_is_not_let_go_by_us(self, joined, live, clock):
        live(renews_at() + timedelta(minutes=20))
        draft = gateway.client().v1.invoices.list({"status": "draft"}).data[0].id
        gateway.client().v1.invoices.update(draft, {"auto_advance": False})
        hold(clock)
        live(renews_at() + timedelta(days=1))
        lift(clock)
        live(renews_at() + timedelta(days=2))
        assert at_stripe() == ["paid", "draft"]

    def test_and_still_a_draft_when_the_membership_ends_is_never_charged(self, joined, live, clock):
        live(renews_at() + timedelta(minutes=20))
        gateway.client().v1.subscriptions.cancel(Subscription.objects.get().stripe_id)
        live(renews_at() + timedelta(minutes=30))
        assert (at_stripe(), own().renewal_expected) == (["paid", "void"], False)
        live(renews_at() + timedelta(days=2))
        assert Payment.objects.count() == 1


class TestAStopOverSeveralPeriods:
    @pytest.fixture
    def monthly(self, db, clock):
        factories.plan("gold-month")

    def test_charges_the_running_one_alone(self, monthly, visitor, live, clock):
        pay(go_to_pay(visitor, "gold-month"))
        come_back(visitor)
        began = clock.now
        clock.move(days=10)
        hold(clock)
        live(factories.moment("2026-05-20T10:00"))
        assert at_stripe() == ["paid", "draft", "draft"]
        lift(clock)
        live(factories.moment("2026-05-20T13:00"))
        assert at_stripe() == ["paid", "void", "paid"]
        first, last = Term.objects.order_by("starts_at")
        assert (first.starts_at, first.ordinal) == (began, 1)
        assert (last.starts_at, last.ends_at) == (
            factories.moment("2026-05-02T10:00"),
            factories.moment("2026-06-02T10:00"),
        )
        assert now_is(clock) == "current"
        assert breached_once_worked_off() == set()
