"""A renewal that is not paid: each letter once and in order, whatever order the events come in; a payment stops it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing import gateway, tasks
from billing.emulator import faults
from billing.models import Invoice, Notice, Subscription
from membership import standing
from membership import tasks as mail_tasks
from membership.models import Membership, Message, Plan, Term
from tests.billing.conftest import FAILS, mails, renews_at
from tests.emulator import people
from tests.invariants import breached

pytestmark = pytest.mark.django_db(transaction=True)


def now_is(clock) -> str:
    return standing.at(Membership.objects.with_facts().get(), clock.now)


def letters() -> list[str]:
    """The letters of dunning that were written and not withdrawn, oldest first."""
    rows = Message.objects.filter(kind__startswith="dunning_", parked_reason="").order_by("pk")
    return [m.kind.removeprefix("dunning_") for m in rows]


class TestAFailedRenewal:
    def test_is_told_with_the_next_try_and_how_long_the_place_is_kept(self, fails, clock):
        fails()
        [letter] = mails("dunning_payment_failed")
        text = letter.text.replace("\xa0", " ")
        assert "€ 119.00" in letter.subject.replace("\xa0", " ")
        assert "We try again on 3 March 2027" in text
        assert "until 16 March 2027 at the latest" in text
        assert "/mend-payment/" in text
        assert now_is(clock) == "current"  # the day that was paid for is not over

    def test_is_grace_after_midnight_and_told_once_though_tried_again(self, fails, live, clock):
        fails()
        live(renews_at() + timedelta(days=4))
        assert now_is(clock) == "grace"
        assert Invoice.objects.get(status="open").attempts >= 3
        assert letters() == ["payment_failed"]

    def test_warns_five_days_before_grace_ends_and_ends_with_stripes_last_try(self, fails, live, clock):
        fails()
        live(renews_at() + timedelta(days=10))
        assert letters() == ["payment_failed", "grace_ending"]
        live(renews_at() + timedelta(days=15))
        assert letters() == ["payment_failed", "grace_ending", "ended"]
        membership = Membership.objects.get()
        assert (membership.status, membership.end_reason, now_is(clock)) == ("ended", "lapsed", "lapsed")
        assert Invoice.objects.order_by("-pk").first().status == "void"
        assert breached() == set()

    @pytest.mark.parametrize("mode", ["reversed", "shuffled", "duplicated", "dropped"])
    def test_tells_the_same_whatever_order_the_events_come_in(self, fails, live, clock, mode):
        fails()
        for day in (2, 6, 10, 15, 16):
            live(renews_at() + timedelta(days=day), mode)
        assert letters() == ["payment_failed", "grace_ending", "ended"]
        assert now_is(clock) == "lapsed"

    def test_read_for_the_first_time_at_its_end_is_told_once(self, joined, live, clock):
        people.turn_cards(Membership.objects.get().member.customer.stripe_id, FAILS)
        live(renews_at() + timedelta(days=20))
        assert letters() == ["ended"]
        steps = Notice.objects.filter(kind="dunning").values_list("step", "skipped_reason")
        assert dict(steps) == dict.fromkeys(
            ["payment_failed", "action_required", "hard_decline", "grace_ending"], "not_the_case"
        ) | {"ended": ""}
        assert breached() == set()


class TestOtherTrouble:
    def test_a_bank_that_wants_a_confirmation(self, fails):
        fails(people.THREE_DS_ALWAYS)
        assert letters() == ["action_required"]
        assert Invoice.objects.get(status="open").hosted_url in mails("dunning_action_required")[0].text

    def test_a_card_that_is_not_asked_again(self, fails, live):
        fails(people.LOST)
        assert letters() == ["hard_decline"]
        assert "not try this card again" in mails("dunning_hard_decline")[0].text

    def test_a_reason_is_told_in_plain_words(self, fails):
        fails(people.EMPTY)
        assert "There was not enough money on the card." in mails("dunning_payment_failed")[0].text

    def test_a_soft_decline_that_becomes_a_hard_one_is_told_again(self, fails, live):
        fails()
        people.turn_cards(Membership.objects.get().member.customer.stripe_id, people.LOST)
        live(renews_at() + timedelta(days=2))
        assert letters() == ["payment_failed", "hard_decline"]


def pay_open_invoice() -> None:
    """As the hosted page does when its owner pays there."""
    people.turn_cards(Membership.objects.get().member.customer.stripe_id, people.GOOD)
    gateway.client().v1.invoices.pay(Invoice.objects.get(status="open").stripe_id)


class TestALatePayment:
    def test_saves_and_stops_the_letters(self, fails, live, clock):
        fails()
        live(renews_at() + timedelta(days=4))
        pay_open_invoice()
        live(renews_at() + timedelta(days=4, hours=1))
        assert now_is(clock) == "current"
        assert Term.objects.count() == 2
        live(renews_at() + timedelta(days=20))
        assert letters() == ["payment_failed"]
        assert len(mails("receipt")) == 2
        assert breached() == set()

    def test_withdraws_a_letter_that_was_not_sent_yet(self, fails, live):
        fails(mail=False)
        pay_open_invoice()
        live(renews_at() + timedelta(hours=2), mail=False)
        mail_tasks.send_messages()
        assert letters() == []
        assert mails("dunning_payment_failed")[0].parked_reason.startswith("withdrawn")

    def test_is_seen_before_the_last_warning_though_nobody_told_us(self, fails, live, clock):
        fails()
        pay_open_invoice()
        clock.move_to(renews_at() + timedelta(days=10))
        tasks.send_notices()
        assert now_is(clock) == "current"
        assert "grace_ending" not in letters()


class TestTheEndOfGrace:
    def test_comes_before_stripes_last_try_where_the_plan_says_so(self, fails, live, clock):
        Plan.objects.update(grace_days=4)
        fails()
        live(renews_at() + timedelta(days=3))
        live(renews_at() + timedelta(days=5))
        assert letters() == ["payment_failed", "grace_ending", "ended"]
        assert Subscription.objects.get().status == "canceled"
        assert Invoice.objects.order_by("-pk").first().status == "void"
        assert now_is(clock) == "lapsed"
        assert breached() == set()

    def test_is_not_the_end_if_it_was_paid_and_nobody_told_us(self, fails, clock):
        fails()
        pay_open_invoice()
        clock.move_to(renews_at() + timedelta(days=18))
        tasks.end_unpaid()
        assert now_is(clock) == "current"
        assert letters() == ["payment_failed"]

    def test_survives_a_lost_answer(self, fails, clock, webhooks):
        Plan.objects.update(grace_days=4)
        fails()
        clock.move_to(renews_at() + timedelta(days=5))
        with faults.next_call("DELETE /v1/subscriptions/{id}", lost="answer", times=3):
            tasks.end_unpaid()
        tasks.end_unpaid()
        webhooks()
        assert letters()[-1] == "ended"
        assert Subscription.objects.get().status == "canceled"
        assert breached() == set()
