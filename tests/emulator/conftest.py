"""A shop at the local Stripe: a client, a price, an open session, and people who pay."""

from __future__ import annotations

import pytest
import stripe

from billing.emulator import cards, checkout_pay, delivery
from billing.emulator.client import InProcessClient


@pytest.fixture
def api(db, clock):
    """The SDK's v1 services, answered in this process; time stands still."""
    return stripe.StripeClient("sk_test_local", http_client=InProcessClient(), max_network_retries=2).v1


@pytest.fixture
def gold(api):
    """€ 119 a year."""
    return make_price(api, "Gold membership", 11900, lookup_key="gold-year-eur")


def make_price(api, name, cents, *, interval="year", **more):
    recurring = {"recurring": {"interval": interval}} if interval else {}
    product = api.products.create({"name": name})
    return api.prices.create({"product": product.id, "currency": "eur", "unit_amount": cents, **recurring, **more})


@pytest.fixture
def ada(api):
    return api.customers.create({"email": "ada@example.com", "name": "Ada"})


@pytest.fixture
def open_session(api, gold, ada):
    """Makes an open session for a year of gold; keyword arguments change it, None leaves a parameter out."""

    def make(**changes):
        params = {
            "mode": "subscription",
            "customer": ada.id,
            "line_items": [{"price": gold.id, "quantity": 1}],
            "success_url": "https://shop.example/done?session_id={CHECKOUT_SESSION_ID}",
            "cancel_url": "https://shop.example/back",
            "client_reference_id": "membership:1",
            "metadata": {"membership": "1"},
            "subscription_data": {"metadata": {"membership": "1"}},
        } | changes
        return api.checkout.sessions.create({k: v for k, v in params.items() if v is not None})

    return make


@pytest.fixture
def coupon(api):
    """Makes a coupon and a promotion code for it; returns the code."""

    def make(code="WELCOME", *, percent_off=20, duration="once", **rules):
        made = api.coupons.create({"percent_off": percent_off, "duration": duration})
        return api.promotion_codes.create({"promotion": {"type": "coupon", "coupon": made.id}, "code": code, **rules})

    return make


@pytest.fixture
def pay():
    """Pays an open session as its page would."""

    def work(session, number="4242424242424242"):
        entry = checkout_pay.Entry("ada@example.com", "Ada", cards.by_number(number), (12, 2034))
        return checkout_pay.pay(session.id, entry)

    return work


@pytest.fixture
def bought(api, open_session, pay):
    """A paid year of gold: the session, its subscription and invoice expanded."""
    session = open_session()
    pay(session)
    return api.checkout.sessions.retrieve(session.id, {"expand": ["subscription", "invoice.payments"]})


@pytest.fixture
def seller(api):
    """A webhook endpoint for all events, and what has arrived there."""
    endpoint = api.webhook_endpoints.create({"url": "https://shop.example/hook", "enabled_events": ["*"]})
    return Seller(endpoint.secret)


class Seller:
    """The other side of the webhook: keeps what arrives, checked with its secret; `status` is what it answers."""

    def __init__(self, secret):
        self.secret, self.status, self.arrived = secret, 200, []
        self.driver = delivery.Driver(self.receive)

    def receive(self, url, body, headers):
        event = stripe.Webhook.construct_event(body, headers["Stripe-Signature"], self.secret)
        self.arrived.append(event)
        return self.status

    def types(self):
        return [event.type for event in self.arrived]


@pytest.fixture
def session(open_session):
    return open_session()


@pytest.fixture
def state(api, session):
    return lambda: api.checkout.sessions.retrieve(session.id)


EVERYTHING = {
    "invoice_history": {"enabled": True},
    "payment_method_update": {"enabled": True},
    "subscription_cancel": {
        "enabled": True,
        "cancellation_reason": {"enabled": True, "options": ["too_expensive", "unused", "other"]},
    },
}


@pytest.fixture
def configured(api):
    """Makes the default configuration; keyword arguments change its features."""

    def make(**changes):
        return api.billing_portal.configurations.create({"features": EVERYTHING | changes})

    return make


@pytest.fixture
def enter(api, bought, configured):
    """Makes a session for who bought; returns it. `features` change the configuration."""

    def make(features=None, **params):
        configured(**(features or {}))
        params = {"customer": bought.customer, "return_url": "https://shop.example/account"} | params
        return api.billing_portal.sessions.create(params)

    return make


@pytest.fixture
def subscription(api, bought):
    return lambda: api.subscriptions.retrieve(bought.subscription.id, {"expand": ["default_payment_method"]})
