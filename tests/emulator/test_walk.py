"""One purchase from the price to the refund, through the SDK."""

from __future__ import annotations


class TestAPurchase:
    def test_becomes_an_active_subscription_with_a_paid_invoice(self, api, open_session, pay):
        session = open_session()

        pay(session)

        paid = api.checkout.sessions.retrieve(session.id, {"expand": ["subscription.latest_invoice.payments"]})
        assert (paid.status, paid.payment_status, paid.url) == ("complete", "paid", None)
        assert paid.subscription.status == "active"
        assert paid.subscription.metadata["membership"] == "1"
        invoice = paid.subscription.latest_invoice
        assert (invoice.status, invoice.amount_paid, invoice.billing_reason) == ("paid", 11900, "subscription_create")
        assert invoice.parent.subscription_details.subscription == paid.subscription.id
        intent = api.payment_intents.retrieve(invoice.payments.data[0].payment.payment_intent)
        assert (intent.status, intent.amount_received) == ("succeeded", 11900)

    def test_has_its_period_on_the_item(self, bought, clock):
        item = bought.subscription.items.data[0]
        assert item.current_period_start == bought.subscription.start_date
        assert item.current_period_end == bought.subscription.start_date + 365 * 86_400

    def test_names_price_and_product_on_the_invoice_line(self, bought, gold):
        line = bought.invoice.lines.data[0]
        assert (line.pricing.price_details.price, line.pricing.price_details.product) == (gold.id, gold.product)
        assert line.description == "1 × Gold membership (at €119.00 / year)"

    def test_tells_of_itself_in_a_dozen_events(self, seller, open_session, pay):
        pay(open_session())

        seller.driver.run()

        dozen = (
            "charge.succeeded customer.subscription.created customer.updated checkout.session.completed "
            "invoice.created invoice.finalized invoice.paid invoice.payment_succeeded invoice_payment.paid "
            "payment_intent.created payment_intent.succeeded payment_method.attached"
        )
        assert set(seller.types()) >= set(dozen.split())
        assert "customer.subscription.updated" not in seller.types()

    def test_attaches_the_card_to_the_customer(self, api, bought, ada):
        methods = api.customers.payment_methods.list(ada.id)
        assert [method.id for method in methods.data] == [bought.subscription.default_payment_method]

    def test_can_be_listed_from_every_side(self, api, bought, ada, gold):
        assert api.subscriptions.list({"customer": ada.id, "price": gold.id}).data[0].id == bought.subscription.id
        assert api.invoices.list({"subscription": bought.subscription.id}).data[0].id == bought.invoice.id
        assert api.invoice_payments.list({"invoice": bought.invoice.id}).data[0].status == "paid"
        assert api.checkout.sessions.list({"subscription": bought.subscription.id}).data[0].id == bought.id


class TestAOneTimePayment:
    def test_needs_no_customer_and_makes_no_invoice(self, api, open_session, pay):
        session = open_session(
            mode="payment", customer=None, subscription_data=None, line_items=[{"price_data": GIFT, "quantity": 1}]
        )

        pay(session)

        paid = api.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
        assert (paid.payment_status, paid.payment_intent.amount_received) == ("paid", 2500)
        assert (paid.customer, paid.invoice, paid.subscription) == (None, None, None)
        assert paid.customer_details.email == "ada@example.com"


GIFT = {"currency": "eur", "unit_amount": 2500, "product_data": {"name": "Gift"}}


class TestATrial:
    def test_is_trialing_and_asks_for_no_payment(self, api, open_session, pay):
        session = open_session(subscription_data={"trial_period_days": 14})

        pay(session)

        paid = api.checkout.sessions.retrieve(session.id, {"expand": ["subscription.latest_invoice"]})
        assert (paid.payment_status, paid.amount_total) == ("no_payment_required", 0)
        assert paid.subscription.status == "trialing"
        assert paid.subscription.trial_end - paid.subscription.trial_start == 14 * 86_400
        invoice = paid.subscription.latest_invoice
        assert (invoice.status, invoice.amount_paid, invoice.attempt_count) == ("paid", 0, 0)
        assert invoice.lines.data[0].description == "Free trial for 1 × Gold membership"

    def test_sets_the_card_up_without_charging_it(self, api, open_session, pay, ada):
        pay(open_session(subscription_data={"trial_period_days": 14}))

        assert api.setup_intents.list({"customer": ada.id}).data[0].status == "succeeded"
        assert api.charges.list({"customer": ada.id}).data == []
