"""One purchase from the price to the refund, through the SDK."""

from __future__ import annotations

import pytest

from billing.emulator import cards, checkout_pay, delivery

pytestmark = pytest.mark.django_db(databases=["default", "local_stripe"])


def pay(session, number="4242424242424242"):
    entry = checkout_pay.Entry("ada@example.com", "Ada", cards.by_number(number), (12, 2030))
    return checkout_pay.pay(session.id, entry)


def test_a_paid_session_becomes_a_subscription_with_a_paid_invoice(api, open_session, ada):
    session = open_session()

    pay(session)

    paid = api.checkout.sessions.retrieve(
        session.id, {"expand": ["subscription.latest_invoice.payments", "line_items"]}
    )
    assert (paid.status, paid.payment_status, paid.url) == ("complete", "paid", None)
    assert paid.subscription.status == "active"
    assert paid.subscription.metadata["membership"] == "1"
    invoice = paid.subscription.latest_invoice
    assert (invoice.status, invoice.amount_paid, invoice.billing_reason) == (
        "paid",
        11900,
        "subscription_create",
    )
    assert invoice.parent.subscription_details.subscription == paid.subscription.id
    intent = api.payment_intents.retrieve(invoice.payments.data[0].payment.payment_intent)
    assert (intent.status, intent.amount_received) == ("succeeded", 11900)


def test_a_purchase_tells_of_itself_in_a_dozen_events(api, open_session):
    api.webhook_endpoints.create({"url": "http://shop.example/hook", "enabled_events": ["*"]})
    pay(open_session())

    sent = delivery.Driver(lambda url, body, headers: 200).run()

    assert {one.event for one in sent} >= {
        "charge.succeeded", "payment_method.attached", "customer.updated", "checkout.session.completed",
        "customer.subscription.created", "payment_intent.created", "payment_intent.succeeded", "invoice.created",
        "invoice.finalized", "invoice.paid", "invoice.payment_succeeded", "invoice_payment.paid",
    }  # fmt: skip
