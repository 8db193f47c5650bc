"""Subscriptions made through the API, without Checkout."""

from __future__ import annotations

import pytest
import stripe

from tests.emulator import people

HOUR = 3600


@pytest.fixture
def card(api, ada):
    """Gives Ada a card by its token and makes it her default."""

    def attach(token="pm_card_visa"):
        made = api.payment_methods.attach(token, {"customer": ada.id})
        api.customers.update(ada.id, {"invoice_settings": {"default_payment_method": made.id}})
        return made

    return attach


@pytest.fixture
def subscribe(api, ada, gold):
    def make(**changes):
        return api.subscriptions.create({"customer": ada.id, "items": [{"price": gold.id}]} | changes)

    return make


def latest(api):
    return api.invoices.list({"limit": 1}).data[0]


class TestWithAGoodCard:
    def test_is_active_with_a_paid_invoice(self, api, card, subscribe, seller):
        card()
        seller.driver.run()
        seller.arrived.clear()
        made = subscribe(metadata={"membership": "1"}, expand=["latest_invoice"])
        assert (made.status, made.latest_invoice.status, made.latest_invoice.amount_paid) == ("active", "paid", 11900)
        assert made.latest_invoice.billing_reason == "subscription_create"
        assert made.metadata["membership"] == "1"
        seller.driver.run()
        assert seller.types() == [
            "customer.updated",
            "invoice.created",
            "invoice.finalized",
            "payment_intent.created",
            "charge.succeeded",
            "payment_intent.succeeded",
            "invoice.paid",
            "invoice.payment_succeeded",
            "invoice_payment.paid",
            "customer.subscription.created",
        ]

    def test_renews(self, api, card, subscribe, clock):
        card()
        subscribe()
        clock.move(days=366)
        assert [invoice.status for invoice in api.invoices.list().data] == ["paid", "paid"]

    def test_takes_its_own_card_first(self, api, card, subscribe, ada):
        card("pm_card_chargeCustomerFail")
        own = api.payment_methods.attach("pm_card_visa", {"customer": ada.id})
        assert subscribe(default_payment_method=own.id).status == "active"

    @pytest.mark.parametrize(("duration", "second"), [("once", 11900), ("forever", 5950)])
    def test_uses_a_coupon(self, api, card, subscribe, clock, duration, second):
        card()
        coupon = api.coupons.create({"percent_off": 50, "duration": duration})
        subscribe(discounts=[{"coupon": coupon.id}])
        clock.move(days=366)
        assert [invoice.total for invoice in api.invoices.list().data] == [second, 5950]

    def test_counts_a_promotion_code(self, api, card, subscribe, coupon):
        card()
        code = coupon("WELCOME", max_redemptions=1)
        subscribe(discounts=[{"promotion_code": code.id}])
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            subscribe(discounts=[{"promotion_code": code.id}])
        assert refusal.value.code == "coupon_expired"

    def test_uses_the_customers_balance(self, api, card, subscribe, ada):
        card()
        api.customers.balance_transactions.create(ada.id, {"amount": -1900, "currency": "eur"})
        made = subscribe(expand=["latest_invoice"])
        assert (made.latest_invoice.total, made.latest_invoice.amount_paid) == (11900, 10000)


class TestWithATrial:
    def test_needs_no_card(self, api, subscribe):
        made = subscribe(trial_period_days=30, expand=["latest_invoice"])
        assert (made.status, made.latest_invoice.total, made.latest_invoice.status) == ("trialing", 0, "paid")

    @pytest.mark.parametrize(("behavior", "status"), [("cancel", "canceled"), ("pause", "paused")])
    def test_ends_without_a_card_as_its_settings_say(self, api, subscribe, clock, behavior, status):
        ends = {"end_behavior": {"missing_payment_method": behavior}}
        made = subscribe(trial_period_days=30, trial_settings=ends)
        clock.move(days=31)
        assert api.subscriptions.retrieve(made.id).status == status
        assert len(api.invoices.list().data) == 1

    def test_ends_without_a_card_past_due_when_an_invoice_is_wanted(self, api, subscribe, clock):
        made = subscribe(trial_period_days=30)
        clock.move(days=31)
        assert api.subscriptions.retrieve(made.id).status == "past_due"
        assert latest(api).attempt_count == 1
        assert api.charges.list().data == []


class TestThatIsNotPaid:
    def test_is_incomplete_after_a_decline(self, api, card, subscribe):
        card("pm_card_chargeCustomerFail")
        assert subscribe().status == "incomplete"
        invoice = latest(api)
        assert (invoice.status, invoice.attempted, invoice.attempt_count) == ("open", True, 1)

    def test_is_incomplete_while_3ds_is_asked_for(self, api, card, subscribe):
        card("pm_card_threeDSecure2Required")
        assert subscribe().status == "incomplete"
        invoice = latest(api)
        assert (invoice.status, invoice.attempted, invoice.attempt_count) == ("open", True, 0)

    @pytest.mark.parametrize("token", ["pm_card_chargeCustomerFail", "pm_card_threeDSecure2Required"])
    def test_leaves_nothing_when_an_error_was_asked_for(self, api, card, subscribe, token):
        card(token)
        with pytest.raises(stripe.CardError) as refusal:
            subscribe(payment_behavior="error_if_incomplete")
        assert refusal.value.http_status == 402
        assert api.subscriptions.list({"status": "all"}).data == []
        assert api.invoices.list().data == []

    def test_waits_for_the_buyers_client(self, api, subscribe):
        made = subscribe(payment_behavior="default_incomplete", expand=["latest_invoice.confirmation_secret"])
        secret = made.latest_invoice.confirmation_secret
        assert (made.status, secret.type) == ("incomplete", "payment_intent")
        intent = api.payment_intents.retrieve(secret.client_secret.partition("_secret_")[0])
        assert intent.status == "requires_payment_method"

    def test_is_active_once_it_is_paid(self, api, card, subscribe, ada):
        card("pm_card_chargeCustomerFail")
        made = subscribe()
        people.turn_cards(ada.id, people.GOOD)
        api.invoices.pay(latest(api).id)
        assert api.subscriptions.retrieve(made.id).status == "active"

    def test_expires_after_23_hours_with_its_invoice_voided(self, api, card, subscribe, clock, seller):
        card("pm_card_threeDSecure2Required")
        made = subscribe()
        seller.driver.run()
        seller.arrived.clear()
        clock.move(hours=22, minutes=59)
        assert api.subscriptions.retrieve(made.id).status == "incomplete"
        clock.move(minutes=1)
        expired = api.subscriptions.retrieve(made.id)
        assert (expired.status, expired.ended_at) == ("incomplete_expired", made.created + 23 * HOUR)
        assert latest(api).status == "void"
        seller.driver.run()
        assert seller.types()[-1] == "customer.subscription.updated"
        assert api.subscriptions.list().data == []

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({}, "resource_missing"),  # no card at all
            ({"payment_behavior": "pending_if_incomplete"}, None),
            ({"items": [{"price": "price_nowhere"}]}, "resource_missing"),
            ({"collection_method": "send_invoice"}, "local_stripe_unsupported"),
            ({"trial_end": 1, "trial_period_days": 3}, None),
        ],
    )
    def test_is_refused(self, subscribe, changes, code):
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            subscribe(**changes)
        assert (refusal.value.http_status, refusal.value.code) == (400, code)
