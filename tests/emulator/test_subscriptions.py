"""Subscriptions, invoices and refunds after the purchase."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import stripe

from billing.emulator import periods, timeline


class TestCanceling:
    def test_at_the_end_of_the_period_changes_four_fields_and_not_the_status(self, api, bought, clock, seller):
        changed = api.subscriptions.update(bought.subscription.id, {"cancel_at_period_end": True})

        assert changed.status == "active"
        assert changed.cancel_at == changed.items.data[0].current_period_end
        assert changed.canceled_at == int(clock.now.timestamp())
        assert changed.cancellation_details.reason == "cancellation_requested"
        seller.driver.run()
        assert seller.types() == ["customer.subscription.updated"]

    def test_can_be_undone(self, api, bought):
        api.subscriptions.update(bought.subscription.id, {"cancel_at_period_end": True})
        changed = api.subscriptions.update(bought.subscription.id, {"cancel_at_period_end": False})
        assert (changed.cancel_at, changed.canceled_at, changed.cancellation_details.reason) == (None, None, None)

    def test_comes_about_when_the_period_ends(self, api, bought, clock, seller):
        asked = api.subscriptions.update(bought.subscription.id, {"cancel_at_period_end": True})
        clock.move(days=366)

        timeline.catch_up()

        ended = api.subscriptions.retrieve(bought.subscription.id)
        assert (ended.status, ended.ended_at, ended.canceled_at) == ("canceled", asked.cancel_at, asked.canceled_at)
        seller.driver.run()
        assert seller.types()[-1] == "customer.subscription.deleted"
        assert len(api.invoices.list({"subscription": ended.id}).data) == 1

    def test_at_once_ends_it_and_leaves_the_money_alone(self, api, bought):
        ended = api.subscriptions.cancel(bought.subscription.id, {"cancellation_details": {"comment": "Moved away"}})
        assert (ended.status, ended.cancellation_details.comment) == ("canceled", "Moved away")
        assert api.invoices.retrieve(bought.invoice.id).status == "paid"

    def test_twice_answers_404(self, api, bought):
        api.subscriptions.cancel(bought.subscription.id)
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            api.subscriptions.cancel(bought.subscription.id)
        assert refusal.value.http_status == 404

    def test_leaves_only_metadata_to_change(self, api, bought):
        api.subscriptions.cancel(bought.subscription.id)
        assert api.subscriptions.update(bought.subscription.id, {"metadata": {"a": "1"}}).metadata["a"] == "1"
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            api.subscriptions.update(bought.subscription.id, {"cancel_at_period_end": True})
        assert refusal.value.code == "invalid_canceled_subscription_fields"

    def test_takes_it_out_of_the_usual_list(self, api, bought):
        api.subscriptions.cancel(bought.subscription.id)
        assert api.subscriptions.list().data == []
        assert len(api.subscriptions.list({"status": "all"}).data) == 1
        assert len(api.subscriptions.list({"status": "canceled"}).data) == 1


class TestARefund:
    @pytest.fixture
    def intent(self, bought):
        return bought.invoice.payments.data[0].payment.payment_intent

    def test_in_full_leaves_the_invoice_paid(self, api, bought, intent):
        refund = api.refunds.create({"payment_intent": intent, "reason": "duplicate"})

        assert (refund.status, refund.amount) == ("succeeded", 11900)
        charge = api.charges.retrieve(refund.charge, {"expand": ["refunds"]})
        assert (charge.refunded, charge.amount_refunded, charge.refunds.data[0].id) == (True, 11900, refund.id)
        assert api.invoices.retrieve(bought.invoice.id).status == "paid"
        assert api.subscriptions.retrieve(bought.subscription.id).status == "active"

    def test_in_part_can_be_followed_by_the_rest(self, api, intent):
        api.refunds.create({"payment_intent": intent, "amount": 1900})
        assert api.refunds.create({"payment_intent": intent}).amount == 10000
        assert len(api.refunds.list({"payment_intent": intent}).data) == 2

    def test_of_too_much_says_how_much_is_left(self, api, intent):
        api.refunds.create({"payment_intent": intent, "amount": 8900})
        words = r"Refund amount \(€40.00\) is greater than unrefunded amount on charge \(€30.00\)"
        with pytest.raises(stripe.InvalidRequestError, match=words) as refusal:
            api.refunds.create({"payment_intent": intent, "amount": 4000})
        assert refusal.value.param == "amount"

    def test_twice_is_refused(self, api, intent):
        api.refunds.create({"payment_intent": intent})
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            api.refunds.create({"payment_intent": intent})
        assert refusal.value.code == "charge_already_refunded"

    def test_tells_of_itself_in_four_events(self, api, intent, seller):
        api.refunds.create({"payment_intent": intent})
        seller.driver.run()
        assert seller.types() == ["refund.created", "charge.refunded", "refund.updated", "charge.refund.updated"]


class TestAnInvoice:
    def test_that_is_paid_cannot_be_paid_or_voided(self, api, bought):
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            api.invoices.pay(bought.invoice.id)
        assert refusal.value.code == "invoice_already_paid"
        with pytest.raises(stripe.InvalidRequestError, match="open or uncollectible"):
            api.invoices.void_invoice(bought.invoice.id)

    def test_counts_up_for_each_customer(self, api, bought, open_session, pay):
        pay(open_session())
        numbers = [invoice.number for invoice in api.invoices.list().data]
        assert [number.rsplit("-", 1)[1] for number in numbers] == ["0002", "0001"]
        assert len({number.rsplit("-", 1)[0] for number in numbers}) == 1


class TestACard:
    def test_that_its_bank_refuses_cannot_be_attached(self, api, ada):
        with pytest.raises(stripe.CardError) as refusal:
            api.payment_methods.attach("pm_card_visa_chargeDeclinedInsufficientFunds", {"customer": ada.id})
        assert getattr(refusal.value.error, "decline_code", "") == "insufficient_funds"

    def test_that_fails_later_can_be_attached(self, api, ada):
        card = api.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": ada.id})
        assert (card.customer, card.card.last4) == (ada.id, "0341")

    def test_detached_is_no_default_any_more(self, api, ada):
        card = api.payment_methods.attach("pm_card_visa", {"customer": ada.id})
        api.customers.update(ada.id, {"invoice_settings": {"default_payment_method": card.id}})
        api.payment_methods.detach(card.id)
        assert api.customers.retrieve(ada.id).invoice_settings.default_payment_method is None


class TestACustomer:
    def test_deleted_answers_with_a_tombstone(self, api, ada):
        api.customers.delete(ada.id)
        assert api.customers.retrieve(ada.id).deleted
        assert api.customers.list().data == []

    def test_has_its_currency_pinned_by_the_first_invoice(self, api, ada, bought):
        assert api.customers.retrieve(ada.id).currency == "eur"


class TestAPortalConfiguration:
    def test_is_complete_and_keeps_what_is_not_changed(self, api):
        features = {"subscription_cancel": {"enabled": True, "mode": "at_period_end"}}
        made = api.billing_portal.configurations.create({"features": features})
        changed = api.billing_portal.configurations.update(
            made.id, {"features": {"invoice_history": {"enabled": True}}, "metadata": {"vip": "1"}}
        )
        assert changed.features.subscription_cancel.enabled
        assert changed.features.invoice_history.enabled
        assert not changed.features.subscription_pause.enabled
        assert [one.id for one in api.billing_portal.configurations.list({"active": True}).data] == [made.id]


@pytest.mark.parametrize(
    ("anchor", "interval", "count", "expected"),
    [
        ("2028-02-29", "year", 1, "2029-02-28"),
        ("2028-02-29", "year", 4, "2032-02-29"),
        ("2027-01-31", "month", 1, "2027-02-28"),
        ("2027-01-31", "month", 2, "2027-03-31"),
        ("2027-12-15", "month", 1, "2028-01-15"),
        ("2027-01-01", "week", 2, "2027-01-15"),
    ],
)
def test_a_period_ends_so_many_intervals_after_the_anchor(anchor, interval, count, expected):
    assert periods.after(at(anchor), interval, count) == at(expected)


def at(day):
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())
