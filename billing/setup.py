"""Prepare a Stripe account: products, prices, webhook endpoint, portal configuration. Safe to repeat.

`manage.py stripe_setup` runs it, against the real account or the local Stripe. Everything is found again by a name of
ours (product id, lookup key, URL, metadata), so a second run creates nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from billing import gateway, portal_configuration, webhooks
from billing.models import StripeAccount, StripePrice
from membership.models import Plan, Price, Tier

if TYPE_CHECKING:
    import stripe


def prepare(client: stripe.StripeClient) -> Iterator[str]:
    """Do what is missing; yields a line for each thing made or found in place. Raises gateway.WrongAccount."""
    yield _account()
    for tier in Tier.objects.all():
        yield _product(client, tier)
    for price in Price.objects.filter(retired_at=None).select_related("plan__tier"):
        yield _price(client, price)
    yield _endpoint(client)
    yield _portal(client)


def _account() -> str:
    fresh = not StripeAccount.objects.exists()
    gateway.check_account()
    return f"account {StripeAccount.objects.get().stripe_id} {'remembered' if fresh else 'as before'}"


def _product(client: stripe.StripeClient, tier: Tier) -> str:
    ident = f"vip-{tier.code}"
    params = {"id": ident, "name": f"{settings.PROGRAMME_NAME} {tier.name}"}
    try:
        found = gateway.read(client.v1.products.retrieve, ident)
    except gateway.StripeRefused as refusal:
        if not gateway.is_missing(refusal):
            raise
        gateway.call(client.v1.products.create, params)
        return f"product {ident} made"
    if found["name"] != params["name"]:
        gateway.call(client.v1.products.update, ident, {"name": params["name"]})
        return f"product {ident} renamed"
    return f"product {ident} in place"


def rename(tier: Tier) -> None:
    """Let new invoices say the tier's name. Raises StripeUnavailable, StripeRefused; `stripe_setup` mends it then."""
    _product(gateway.client(), tier)


def lookup_key(price: Price) -> str:
    """By which one of our prices is found at Stripe: another amount is another price there too."""
    return f"{price.plan.code}-{price.currency.lower()}-{price.amount}"


def stripe_price(client: stripe.StripeClient, price: Price) -> dict[str, Any]:
    """The Stripe Price of `price` (saved or not), found or made. Raises StripeUnavailable, StripeRefused."""
    return _found_price(client, price) or gateway.call(client.v1.prices.create, _price_params(price)).to_dict()


def _found_price(client: stripe.StripeClient, price: Price) -> dict[str, Any] | None:
    found = gateway.read_all(client.v1.prices.list, {"lookup_keys": [lookup_key(price)], "active": True})
    return found[0] if found else None


def _price(client: stripe.StripeClient, price: Price) -> str:
    key, found = lookup_key(price), _found_price(client, price)
    made = found or stripe_price(client, price)
    with transaction.atomic():
        StripePrice.objects.update_or_create(price=price, defaults={"stripe_id": made["id"], "lookup_key": key})
    return f"price {key} {'in place' if found else 'made'}"


def _price_params(price: Price) -> dict[str, Any]:
    params: dict[str, Any] = {
        "product": f"vip-{price.plan.tier.code}",
        "currency": price.currency.lower(),
        "unit_amount": gateway.to_stripe(price.amount, price.currency),
        "lookup_key": lookup_key(price),
        "tax_behavior": "inclusive" if price.tax_included else "exclusive",
        "metadata": {"plan": price.plan.code},
    }
    if price.plan.interval != Plan.Interval.ONCE:
        params["recurring"] = {"interval": price.plan.interval}
    return params


def _endpoint(client: stripe.StripeClient) -> str:
    url = f"{settings.BASE_URL}{reverse('stripe-webhook')}"
    events = sorted(webhooks.HANDLERS)
    standing = [e for e in gateway.read_all(client.v1.webhook_endpoints.list, {}) if e["url"] == url]
    if not standing:
        made = gateway.call(
            client.v1.webhook_endpoints.create,
            {"url": url, "enabled_events": events, "api_version": gateway.API_VERSION},
        )
        return f"webhook endpoint {url} made; STRIPE_WEBHOOK_SECRET={made.secret}"
    if sorted(standing[0]["enabled_events"]) != events:
        gateway.call(client.v1.webhook_endpoints.update, standing[0]["id"], {"enabled_events": events})
        return f"webhook endpoint {url}: events brought up to date"
    return f"webhook endpoint {url} in place"


def _portal(client: stripe.StripeClient) -> str:
    if portal_configuration.find():
        return "billing portal configuration in place"
    gateway.call(client.v1.billing_portal.configurations.create, portal_configuration.PARAMS)
    return "billing portal configuration made"
