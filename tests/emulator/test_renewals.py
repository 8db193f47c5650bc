"""A subscription in time: it renews, its card fails, its trial ends, it ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import stripe

from billing.emulator import timeline
from tests.emulator import people
from tests.emulator.conftest import make_price

HOUR, DAY = 3600, 86_400


@pytest.fixture
def boundary(bought):
    """The end of the paid year."""
    return bought.subscription.items.data[0].current_period_end


def moment(seconds):
    return datetime.fromtimestamp(seconds, UTC)


class TestRenewal:
    def test_begins_the_next_period_with_a_draft(self, api, bought, boundary, clock):
        clock.move_to(moment(boundary))
        renewed = api.subscriptions.retrieve(bought.subscription.id, {"expand": ["latest_invoice"]})
        item, draft = renewed.items.data[0], renewed.latest_invoice
        assert renewed.status == "active"
        assert moment(item.current_period_end) == datetime(2028, 3, 2, 10, 0, tzinfo=UTC)
        assert (draft.status, draft.billing_reason, draft.total) == ("draft", "subscription_cycle", 11900)
        assert draft.automatically_finalizes_at == boundary + 3601
        assert draft.next_payment_attempt == boundary + 3600

    def test_looks_back_on_the_invoice_and_forward_on_its_line(self, api, bought, boundary, clock):
        clock.move_to(moment(boundary))
        draft = api.invoices.list({"status": "draft"}).data[0]
        line = draft.lines.data[0]
        assert (draft.period_start, draft.period_end) == (bought.subscription.start_date, boundary)
        assert (line.period.start, moment(line.period.end).year) == (boundary, 2028)

    def test_is_paid_an_hour_later(self, api, bought, boundary, clock, seller):
        clock.move_to(moment(boundary + 3601))
        invoice = api.invoices.list({"limit": 1}).data[0]
        assert (invoice.status, invoice.amount_paid, invoice.attempt_count) == ("paid", 11900, 1)
        assert invoice.status_transitions.paid_at == boundary + 3601
        assert invoice.number.endswith("-0002")
        seller.driver.run()
        assert seller.types() == [
            "customer.subscription.updated",
            "invoice.created",
            "invoice.finalized",
            "payment_intent.created",
            "charge.succeeded",
            "payment_intent.succeeded",
            "invoice.paid",
            "invoice.payment_succeeded",
            "invoice_payment.paid",
        ]
        rolled = seller.arrived[0]
        assert rolled.data.previous_attributes.latest_invoice == bought.invoice.id
        before = rolled.data.previous_attributes["items"]["data"][0]
        assert before.current_period_end == boundary
        assert [event.created - boundary for event in seller.arrived[:3]] == [0, 0, 3601]

    def test_of_ten_years_happens_year_by_year_at_its_own_time(self, api, bought, clock):
        clock.move_to(datetime(2036, 7, 1, tzinfo=UTC))
        timeline.catch_up()
        invoices = api.invoices.list({"limit": 100}).data
        assert [invoice.status for invoice in invoices] == ["paid"] * 11
        assert [moment(invoice.created).year for invoice in invoices] == list(range(2036, 2025, -1))
        told = [event.created for event in api.events.list({"limit": 100}).data]
        assert told == sorted(told, reverse=True)

    def test_of_leap_day_goes_back_to_leap_day(self, api, clock, open_session, pay):
        clock.move_to(datetime(2028, 2, 29, 12, 0, tzinfo=UTC))
        pay(open_session())
        clock.move_to(datetime(2036, 7, 1, tzinfo=UTC))
        days = [moment(invoice.created) for invoice in api.invoices.list({"limit": 100}).data]
        assert [(day.month, day.day) for day in days] == [(2, 29) if d.year % 4 == 0 else (2, 28) for d in days]

    def test_keeps_a_coupon_for_as_long_as_it_lasts(self, api, clock, open_session, pay):
        made = {"percent_off": 50, "duration": "repeating", "duration_in_months": 18}
        pay(open_session(discounts=[{"coupon": api.coupons.create(made).id}]))
        clock.move(days=365 * 3)
        totals = [invoice.total for invoice in api.invoices.list().data]
        assert totals == [11900, 5950, 5950]
        assert api.subscriptions.list().data[0].discounts == []

    def test_has_no_once_coupon_any_more(self, api, clock, open_session, pay):
        pay(open_session(discounts=[{"coupon": api.coupons.create({"percent_off": 50, "duration": "once"}).id}]))
        clock.move(days=366)
        assert [invoice.total for invoice in api.invoices.list().data] == [11900, 5950]

    def test_with_all_taken_off_asks_no_card(self, api, clock, open_session, pay):
        pay(open_session(discounts=[{"coupon": api.coupons.create({"percent_off": 100, "duration": "forever"}).id}]))
        clock.move(days=366)
        invoice = api.invoices.list({"limit": 1}).data[0]
        assert (invoice.status, invoice.total, invoice.attempt_count) == ("paid", 0, 0)
        assert api.charges.list().data == []

    @pytest.mark.parametrize(("early", "status"), [(1, "paid"), (0, "paid"), (-1, "draft")])
    def test_is_collected_again_once_a_pause_is_over(self, api, bought, boundary, clock, early, status):
        pause = {"behavior": "keep_as_draft", "resumes_at": boundary - early}
        api.subscriptions.update(bought.subscription.id, {"pause_collection": pause})
        clock.move_to(moment(boundary + 2 * HOUR))
        assert api.invoices.list({"limit": 1}).data[0].status == status
        assert api.subscriptions.retrieve(bought.subscription.id).pause_collection is None

    def test_does_not_come_after_a_scheduled_end(self, api, bought, clock):
        api.subscriptions.update(bought.subscription.id, {"cancel_at_period_end": True})
        clock.move(days=800)
        assert len(api.invoices.list().data) == 1

    def test_does_not_come_after_cancel_at_in_the_midst_of_a_year(self, api, bought, boundary, clock):
        end = boundary + 30 * DAY
        api.subscriptions.update(bought.subscription.id, {"cancel_at": end})
        clock.move(days=800)
        ended = api.subscriptions.retrieve(bought.subscription.id)
        assert (ended.status, ended.ended_at) == ("canceled", end)
        assert len(api.invoices.list().data) == 2

    def test_is_asked_for_when_canceled_within_the_draft_hour(self, api, bought, boundary, clock):
        clock.move_to(moment(boundary + 60))
        api.subscriptions.cancel(bought.subscription.id)
        clock.move(days=3)
        assert api.invoices.list({"limit": 1}).data[0].status == "paid"

    def test_ends_with_its_customer(self, api, bought, ada, clock):
        api.customers.delete(ada.id)
        clock.move(days=800)
        assert api.subscriptions.retrieve(bought.subscription.id).status == "canceled"
        assert len(api.invoices.list().data) == 1


@pytest.fixture
def failing(bought, ada, boundary, clock, seller):
    """The bank has no money on the card when the renewal is due."""
    people.turn_cards(ada.id, people.EMPTY)
    clock.move_to(moment(boundary + 3601))
    return boundary + 3601


def latest(api):
    return api.invoices.list({"limit": 1}).data[0]


class TestAFailedRenewal:
    def test_is_past_due_with_the_next_try_set(self, api, bought, ada, failing, seller):
        assert api.subscriptions.retrieve(bought.subscription.id).status == "past_due"
        invoice = latest(api)
        assert (invoice.status, invoice.attempt_count) == ("open", 1)
        assert invoice.next_payment_attempt == failing + DAY
        assert api.customers.retrieve(ada.id).delinquent
        seller.driver.run()
        assert [kind for kind in seller.types() if "fail" in kind or "subscription" in kind] == [
            "customer.subscription.updated",  # the period has rolled
            "charge.failed",
            "payment_intent.payment_failed",
            "invoice.payment_failed",
            "customer.subscription.updated",
        ]

    def test_is_tried_eight_times_in_two_weeks_and_then_canceled(self, api, bought, failing, clock):
        clock.move(days=30)
        ended = api.subscriptions.retrieve(bought.subscription.id)
        charges = api.charges.list({"limit": 100}).data[:-1]
        assert [(charge.created - failing) // DAY for charge in charges] == [14, 11, 9, 7, 5, 3, 1, 0]
        assert (ended.status, ended.ended_at) == ("canceled", failing + 14 * DAY)
        assert ended.cancellation_details.reason == "payment_failed"
        invoice = latest(api)
        assert (invoice.status, invoice.attempt_count, invoice.next_payment_attempt) == ("open", 8, None)

    def test_may_end_unpaid_with_drafts_from_then_on(self, api, bought, failing, clock, settings):
        settings.LOCAL_STRIPE = settings.LOCAL_STRIPE | {"AFTER_RETRIES": "unpaid"}
        clock.move(days=400)
        assert api.subscriptions.retrieve(bought.subscription.id).status == "unpaid"
        assert latest(api).status == "draft"

    def test_may_stay_past_due(self, api, bought, failing, clock, settings):
        settings.LOCAL_STRIPE = settings.LOCAL_STRIPE | {"AFTER_RETRIES": "past_due", "RETRIES": (0, 1)}
        clock.move(days=60)
        assert api.subscriptions.retrieve(bought.subscription.id).status == "past_due"
        assert latest(api).attempt_count == 2

    def test_is_saved_by_a_later_try(self, api, bought, ada, failing, clock):
        clock.move(days=2)
        people.turn_cards(ada.id, people.GOOD)
        clock.move(days=2)
        assert api.subscriptions.retrieve(bought.subscription.id).status == "active"
        invoice = latest(api)
        assert (invoice.status, invoice.attempt_count) == ("paid", 3)
        assert invoice.status_transitions.paid_at == failing + 3 * DAY
        assert not api.customers.retrieve(ada.id).delinquent

    def test_is_saved_by_paying_the_invoice_with_another_card(self, api, bought, ada, failing):
        card = api.payment_methods.attach("pm_card_visa", {"customer": ada.id})
        paid = api.invoices.pay(latest(api).id, {"payment_method": card.id})
        assert (paid.status, paid.attempt_count) == ("paid", 1)
        assert api.subscriptions.retrieve(bought.subscription.id).status == "active"

    def test_keeps_its_anniversary_however_late_it_is_paid(self, api, bought, ada, failing, boundary, clock):
        clock.move(days=10)
        people.turn_cards(ada.id, people.GOOD)
        api.invoices.pay(latest(api).id)
        end = api.subscriptions.retrieve(bought.subscription.id).items.data[0].current_period_end
        assert moment(end) == moment(boundary).replace(year=2028)

    def test_with_a_lost_card_counts_and_asks_the_bank_no_more(self, api, bought, ada, boundary, clock):
        people.turn_cards(ada.id, people.LOST)
        clock.move_to(moment(boundary + 6 * DAY))
        assert latest(api).attempt_count == 4
        assert len(api.charges.list().data) == 2

    def test_with_a_lost_card_asks_a_new_one(self, api, bought, ada, boundary, clock):
        people.turn_cards(ada.id, people.LOST)
        clock.move_to(moment(boundary + 2 * DAY))
        timeline.catch_up()
        card = api.payment_methods.attach("pm_card_visa", {"customer": ada.id})
        api.subscriptions.update(bought.subscription.id, {"default_payment_method": card.id})
        clock.move(days=2)
        assert latest(api).status == "paid"

    def test_that_asks_for_3ds_waits_for_the_holder(self, api, bought, ada, boundary, clock, seller):
        people.turn_cards(ada.id, people.THREE_DS_ALWAYS)
        clock.move_to(moment(boundary + 3601))
        invoice = api.invoices.list({"limit": 1, "expand": ["data.payments.data.payment.payment_intent"]}).data[0]
        intent = invoice.payments.data[0].payment.payment_intent
        assert (invoice.status, intent.status) == ("open", "requires_action")
        assert intent.last_payment_error.code == "authentication_required"
        assert api.subscriptions.retrieve(bought.subscription.id).status == "past_due"
        seller.driver.run()
        assert {"invoice.payment_action_required", "invoice.payment_failed"} <= set(seller.types())

    def test_can_be_voided_which_cancels_its_intent(self, api, bought, failing):
        invoice = latest(api)
        api.invoices.void_invoice(invoice.id)
        payment = api.invoice_payments.list({"invoice": invoice.id}).data[0]
        assert payment.status == "canceled"
        assert api.payment_intents.retrieve(payment.payment.payment_intent).status == "canceled"

    def test_leaves_an_open_invoice_alone_once_it_is_canceled(self, api, bought, failing, clock):
        api.subscriptions.cancel(bought.subscription.id)
        clock.move(days=30)
        assert latest(api).attempt_count == 1


class TestATrial:
    @pytest.fixture
    def trial(self, api, open_session, pay, clock):
        pay(open_session(subscription_data={"trial_period_days": 30}))
        return api.subscriptions.list().data[0]

    def test_is_told_of_three_days_before_its_end(self, api, trial, clock):
        clock.move(days=29)
        told = api.events.list({"type": "customer.subscription.trial_will_end"}).data
        assert [event.created for event in told] == [trial.trial_end - 3 * DAY]

    def test_becomes_active_before_it_is_paid(self, api, trial, clock):
        clock.move_to(moment(trial.trial_end))
        active = api.subscriptions.retrieve(trial.id, {"expand": ["latest_invoice"]})
        assert (active.status, active.latest_invoice.status) == ("active", "draft")
        clock.move(hours=2)
        invoice = latest(api)
        assert (invoice.status, invoice.total) == ("paid", 11900)
        assert moment(invoice.lines.data[0].period.end) == moment(trial.trial_end).replace(year=2027)

    def test_that_nobody_pays_for_is_past_due(self, api, trial, ada, clock):
        people.turn_cards(ada.id, people.EMPTY)
        clock.move_to(moment(trial.trial_end) + timedelta(hours=2))
        assert api.subscriptions.retrieve(trial.id).status == "past_due"


def test_monthly_periods_from_the_31st_keep_to_the_anchor(api, ada, clock, open_session, pay):
    monthly = make_price(api, "Monthly", 1000, interval="month")
    clock.move_to(datetime(2027, 1, 31, 12, 0, tzinfo=UTC))
    pay(open_session(line_items=[{"price": monthly.id, "quantity": 1}]))
    clock.move_to(datetime(2027, 5, 1, tzinfo=UTC))
    days = [moment(invoice.created) for invoice in api.invoices.list().data]
    assert [(day.month, day.day) for day in days] == [(4, 30), (3, 31), (2, 28), (1, 31)]


def test_a_failed_renewal_can_be_refused_by_hand_without_counting(api, bought, failing):
    with pytest.raises(stripe.CardError):
        api.invoices.pay(latest(api).id)
    assert latest(api).attempt_count == 1
