"""Checkout Sessions: one try at buying, with a hosted page of its own. The API side; `checkout_pay` takes the money."""

from __future__ import annotations

import copy
import secrets
from typing import TYPE_CHECKING, Any

from django.conf import settings

from billing.emulator import catalogue, clock, discounts, events, paging, quote, store
from billing.emulator.errors import StripeError, check_url, required, unsupported
from billing.emulator.routing import endpoint
from billing.emulator.timeline import when_due

if TYPE_CHECKING:
    from billing.emulator.models import Record
    from billing.emulator.wire import Call

KIND = "checkout.session"
SOONEST, LATEST = 30 * 60, 24 * 3600  # seconds from now that expires_at may stand
SOONEST_TRIAL_END = 48 * 3600
SHOWN = (
    "allow_promotion_codes", "billing_address_collection", "cancel_url", "client_reference_id", "consent_collection",
    "customer", "customer_creation", "customer_email", "locale", "origin_context", "payment_method_collection",
    "success_url",
)  # fmt: skip
TAKEN = (
    *SHOWN, "automatic_tax", "currency", "custom_text", "customer_update", "discounts", "expires_at", "line_items",
    "metadata", "mode", "payment_intent_data", "phone_number_collection", "subscription_data", "ui_mode",
)  # fmt: skip
CUSTOM_TEXTS = ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")


@endpoint("POST /v1/checkout/sessions")
def create(call: Call) -> Record:
    call.supports(*TAKEN)
    params = call.params
    _check(params)
    prices = _prices(params)
    now, mode, stripe_id = clock.now(), params["mode"], store.new_id(KIND)
    expires_at = params.get("expires_at", now + LATEST)
    session = store.create(
        KIND,
        {
            "id": stripe_id,
            "custom_fields": [],
            "customer_creation": None if params.get("customer") or mode == "subscription" else "if_required",
            "payment_method_collection": "always" if mode == "subscription" else "if_required",
            **{key: params[key] for key in SHOWN if params.get(key)},
            "created": now,
            "currency": prices[0][0]["currency"],
            "custom_text": {key: params.get("custom_text", {}).get(key) or None for key in CUSTOM_TEXTS},
            "expires_at": expires_at,
            "metadata": store.merge_metadata({}, params.get("metadata")),
            "mode": mode,
            "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
            "payment_method_types": ["card"],
            "payment_status": "unpaid",
            "status": "open",
            "ui_mode": "hosted_page",
            "url": f"{settings.LOCAL_STRIPE['URL']}/c/pay/{stripe_id}",
        },
        hidden=_hidden(params, prices),
    )
    _show_quote(session)
    return session


def _check(params: dict[str, Any]) -> None:
    """What the types cannot say: which parameters go together, and the bounds of the times."""
    for name in ("mode", "line_items", "success_url"):
        if not params.get(name):
            raise required(name)
    for one, other in (("customer", "customer_email"), ("allow_promotion_codes", "discounts")):
        if params.get(one) and params.get(other):
            raise StripeError(f"You may only specify one of these parameters: {one}, {other}.")
    for name in ("success_url", "cancel_url"):
        if name in params:
            check_url(params[name], name)
    _check_supported(params)
    if "customer" in params:
        store.get("customer", params["customer"], param="customer")
    _check_times(params)
    _check_data(params)


def _check_supported(params: dict[str, Any]) -> None:
    if params["mode"] == "setup":
        raise unsupported("mode=setup")
    if params.get("ui_mode", "hosted_page") != "hosted_page":
        raise unsupported("ui_mode other than hosted_page")
    if params.get("billing_address_collection", "auto") != "auto":
        raise unsupported("billing_address_collection=required")
    if beyond := sorted(set(params.get("consent_collection", {})) - {"terms_of_service"}):
        raise unsupported(f"consent_collection[{beyond[0]}]")
    for switch in ("automatic_tax", "phone_number_collection"):
        if params.get(switch, {}).get("enabled"):
            raise unsupported(switch)


def _check_times(params: dict[str, Any]) -> None:
    now = clock.now()
    if "expires_at" in params and params["expires_at"] < now + SOONEST:
        raise StripeError(
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.",
            param="expires_at",
        )
    if "expires_at" in params and params["expires_at"] > now + LATEST:
        raise StripeError(
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.",
            param="expires_at",
        )
    given = params.get("subscription_data", {})
    if {"trial_end", "trial_period_days"} <= set(given):
        raise StripeError("You may only specify one of these parameters: trial_end, trial_period_days.")
    if "trial_end" in given and given["trial_end"] < now + SOONEST_TRIAL_END:
        raise StripeError(
            "The `trial_end` date has to be at least 2 days in the future.",
            param="subscription_data[trial_end]",
        )


def _check_data(params: dict[str, Any]) -> None:
    own, other = "subscription_data", "payment_intent_data"
    if params["mode"] == "payment":
        own, other = other, own
    if other in params:
        raise StripeError(f"You can not pass `{other}` in `{params['mode']}` mode.", param=other)
    known = {"metadata", "description", "trial_end", "trial_period_days", "setup_future_usage"}
    if beyond := sorted(set(params.get(own, {})) - known):
        raise unsupported(f"{own}[{beyond[0]}]")


def _prices(params: dict[str, Any]) -> list[tuple[dict[str, Any], int]]:
    """The prices asked for with their quantities, fit for the mode and for each other."""
    found = []
    for i, item in enumerate(params["line_items"]):
        where = f"line_items[{i}]"
        if beyond := sorted(set(item) - {"price", "price_data", "quantity"}):
            raise unsupported(f"{where}[{beyond[0]}]")
        found.append((_price(item, where), item.get("quantity", 1)))
    recurring = [price["recurring"] for price, _ in found if price["recurring"]]
    if params["mode"] == "payment" and recurring:
        raise StripeError("You must use `subscription` mode when using a recurring price.", param="mode")
    if params["mode"] == "subscription" and not recurring:
        raise StripeError(
            "You must provide at least one recurring price in `subscription` mode when using prices.",
            param="line_items",
        )
    if params["mode"] == "subscription" and len(recurring) != len(found):
        raise unsupported("one-time prices beside a subscription")
    if len({price["currency"] for price, _ in found}) > 1:
        raise StripeError("All line items must have the same currency.", param="line_items")
    return found


def _price(item: dict[str, Any], where: str) -> dict[str, Any]:
    if item.get("quantity", 1) < 1:
        raise StripeError("Invalid positive integer", param=f"{where}[quantity]")
    if "price_data" in item:
        return catalogue.new_price({**item["price_data"], "active": False}).data
    if "price" not in item:
        raise required(f"{where}[price]")
    price = store.get("price", item["price"], param=f"{where}[price]")
    if not price.data["active"]:
        raise StripeError(
            "The price specified is inactive. This field only accepts active prices.", param=f"{where}[price]"
        )
    return price.data


def _hidden(params: dict[str, Any], prices: list[tuple[dict[str, Any], int]]) -> dict[str, Any]:
    products = store.find_many(price["product"] for price, _ in prices)
    items = [
        {
            "id": store.new_id("item"),
            "object": "item",
            "amount_discount": 0,
            "amount_subtotal": 0,
            "amount_tax": 0,
            "amount_total": 0,
            "currency": price["currency"],
            "description": products[price["product"]].data["name"],
            "metadata": {},
            "price": price,
            "quantity": quantity,
        }
        for price, quantity in prices
    ]
    return {
        "customer_update": params.get("customer_update", {}),
        "discount": _discount(params.get("discounts")),
        "intent": None,
        "line_items": items,
        "nonce": secrets.token_hex(8),
        "payment_intent_data": params.get("payment_intent_data", {}),
        "subscription_data": params.get("subscription_data", {}),
    }


def _discount(given: list[dict[str, str]] | None) -> dict[str, str] | None:
    if not given:
        return None
    if len(given) > 1:
        raise unsupported("more than one discount")
    ((kind, stripe_id),) = given[0].items()
    store.get(kind, stripe_id, param=f"discounts[0][{kind}]")
    return {kind: stripe_id}


def _show_quote(session: Record) -> None:
    try:
        quote.show(session, quote.of(session))
    except discounts.NotApplicable as error:
        raise StripeError(
            f"This discount cannot be used here: {error.reason}.", param="discounts", code="coupon_expired"
        ) from None
    store.save(session)


@endpoint("GET /v1/checkout/sessions/{id}")
def retrieve(call: Call) -> Record:
    return store.get(KIND, call.id)


@endpoint("GET /v1/checkout/sessions")
def index(call: Call) -> dict[str, Any]:
    filters = {
        "customer": "customer",
        "payment_intent": "data__payment_intent",
        "status": "data__status",
        "subscription": "data__subscription",
    }
    found = store.of(KIND)
    if details := call.params.get("customer_details"):
        found = found.filter(data__customer_details__email=details["email"])
    return paging.page(call, found, filters, handled=("customer_details",))


@endpoint("GET /v1/checkout/sessions/{id}/line_items")
def list_line_items(call: Call) -> dict[str, Any]:
    call.supports("limit")
    return paging.whole(store.get(KIND, call.id).hidden["line_items"], call.path)


@endpoint("POST /v1/checkout/sessions/{id}")
def update(call: Call) -> Record:
    call.supports("metadata")
    session = store.get(KIND, call.id)
    session.data["metadata"] = store.merge_metadata(session.data["metadata"], call.params.get("metadata"))
    store.save(session)
    return session


@endpoint("POST /v1/checkout/sessions/{id}/expire")
def expire(call: Call) -> Record:
    session = store.get(KIND, call.id)
    if session.data["status"] != "open":
        raise StripeError(
            'Only Checkout Sessions with a status in ["open"] can be expired. '
            f"This Checkout Session has a status of `{session.data['status']}`."
        )
    close(session)
    return session


def expires(session: Record) -> int | None:
    return int(session.data["expires_at"]) if session.data["status"] == "open" else None


@when_due(KIND, at=expires)
def close(session: Record) -> None:
    """It expires: by the clock, or because the seller says so."""
    session.data |= {"status": "expired", "url": None}
    store.save(session)
    events.emit("checkout.session.expired", copy.deepcopy(session.data))
