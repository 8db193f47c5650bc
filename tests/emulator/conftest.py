"""A shop at the local Stripe: a client, a price, and people who pay."""

from __future__ import annotations

import pytest
import stripe

from billing.emulator.client import InProcessClient


@pytest.fixture
def client_of_stripe() -> stripe.StripeClient:
    return stripe.StripeClient("sk_test_local", http_client=InProcessClient(), max_network_retries=2)


@pytest.fixture
def api(client_of_stripe):
    return client_of_stripe.v1


@pytest.fixture
def gold(api):
    """€ 119 a year."""
    product = api.products.create({"name": "Gold membership"})
    return api.prices.create(
        {
            "product": product.id,
            "currency": "eur",
            "unit_amount": 11900,
            "recurring": {"interval": "year"},
            "lookup_key": "gold-year-eur",
        }
    )


@pytest.fixture
def ada(api):
    return api.customers.create({"email": "ada@example.com", "name": "Ada"})


@pytest.fixture
def open_session(api, gold, ada):
    """Makes an open session for the gold year; keyword arguments change it, None leaves a parameter out."""

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
