"""What can be bought: products and their prices."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from billing.emulator import clock, events, paging, store
from billing.emulator.errors import StripeError, required, unsupported
from billing.emulator.routing import endpoint

if TYPE_CHECKING:
    from billing.emulator.models import Record
    from billing.emulator.wire import Call

PRODUCT_TEXT = (
    "name",
    "description",
    "active",
    "images",
    "marketing_features",
    "statement_descriptor",
    "tax_code",
)
PRODUCT_FIELDS = (*PRODUCT_TEXT, "shippable", "unit_label", "url")


@endpoint("POST /v1/products")
def create_product(call: Call) -> Record:
    call.supports(*PRODUCT_FIELDS, "id", "metadata", "default_price_data", "type")
    params = dict(call.params)
    default_price = params.pop("default_price_data", None)
    record = new_product(params)
    events.emit("product.created", record.data)
    if default_price:
        price = new_price({**default_price, "product": record.stripe_id})
        events.emit("price.created", price.data)
        record.data["default_price"] = price.stripe_id
        store.save(record)
    return record


def new_product(params: dict[str, Any]) -> Record:
    """A product from create parameters or `product_data`."""
    if "id" in params and store.find(params["id"]) is not None:
        raise StripeError("Product already exists.", code="resource_already_exists", param="id")
    given = {key: params[key] for key in ("id", *PRODUCT_FIELDS) if key in params}
    metadata = store.merge_metadata({}, params.get("metadata"))
    return store.create(
        "product", {"active": True, "type": "service", "updated": clock.now(), "metadata": metadata} | given
    )


@endpoint("GET /v1/products/{id}")
def retrieve_product(call: Call) -> Record:
    return store.get("product", call.id)


@endpoint("GET /v1/products")
def list_products(call: Call) -> dict[str, Any]:
    found = store.of("product")
    if "ids" in call.params:
        found = found.filter(stripe_id__in=call.params["ids"])
    return paging.page(call, found, {"active": "data__active"}, handled=("ids",))


@endpoint("POST /v1/products/{id}")
def update_product(call: Call) -> Record:
    call.supports(*PRODUCT_FIELDS, "metadata", "default_price")
    record = store.get("product", call.id)
    before = copy.deepcopy(record.data)
    if price := call.params.get("default_price"):
        store.get("price", price, param="default_price")
        record.data["default_price"] = price
    record.data |= {key: _or_null(call.params[key]) for key in PRODUCT_FIELDS if key in call.params}
    record.data["metadata"] = store.merge_metadata(before["metadata"], call.params.get("metadata"))
    if record.data != before:
        record.data["updated"] = clock.now()
    events.updated(record, before)
    return record


@endpoint("DELETE /v1/products/{id}")
def delete_product(call: Call) -> dict[str, Any]:
    record = store.get("product", call.id)
    if store.of("price", parent=record.stripe_id).exists():
        raise StripeError("This product cannot be deleted because it has one or more user-created prices.")
    events.emit("product.deleted", record.data)
    return store.delete(record)


@endpoint("POST /v1/prices")
def create_price(call: Call) -> Record:
    record = new_price(dict(call.params))
    events.emit("price.created", record.data)
    return record


PRICE_FIELDS = ("active", "currency", "nickname", "tax_behavior")


def new_price(params: dict[str, Any]) -> Record:
    """A price from create parameters or `price_data`, with its product if that is given in words."""
    for beyond in ("tiers", "custom_unit_amount", "currency_options", "transform_quantity"):
        if beyond in params:
            raise unsupported(f"prices with {beyond}")
    product = _product_of(params)
    cents = _unit_amount(params)
    lookup = params.get("lookup_key") or None
    if lookup:
        _claim_lookup_key(lookup, transfer=params.get("transfer_lookup_key", False))
    recurring = params.get("recurring")
    data = {
        "active": True,
        "tax_behavior": "unspecified",
        **{key: params[key] for key in PRICE_FIELDS if key in params},
        "billing_scheme": "per_unit",
        "lookup_key": lookup,
        "metadata": store.merge_metadata({}, params.get("metadata")),
        "product": product,
        "recurring": _recurring(recurring) if recurring else None,
        "type": "recurring" if recurring else "one_time",
        "unit_amount": int(cents) if cents == int(cents) else None,
        "unit_amount_decimal": f"{cents.normalize():f}",
    }
    data["currency"] = data["currency"].lower()
    return store.create("price", data, parent=product, key=lookup or "")


def _product_of(params: dict[str, Any]) -> str:
    if ("product" in params) == ("product_data" in params):
        raise StripeError("You must provide either a product or product_data.", param="product")
    if "product" in params:
        return store.get("product", params["product"], param="product").stripe_id
    product = new_product(params["product_data"])
    events.emit("product.created", product.data)
    return product.stripe_id


def _unit_amount(params: dict[str, Any]) -> Decimal:
    amount = params.get("unit_amount", params.get("unit_amount_decimal"))
    if amount is None:
        raise required("unit_amount")
    if amount < 0:
        raise StripeError("Invalid non-negative integer", code="parameter_invalid_integer", param="unit_amount")
    return Decimal(amount)


def _recurring(given: dict[str, Any]) -> dict[str, Any]:
    if given.get("usage_type", "licensed") != "licensed":
        raise unsupported("metered prices")
    count = given.get("interval_count", 1)
    most = {"day": 1095, "week": 156, "month": 36, "year": 3}[given["interval"]]
    if not 1 <= count <= most:
        raise StripeError("Invalid interval_count: at most three years.", param="recurring[interval_count]")
    return {
        "interval": given["interval"],
        "interval_count": count,
        "meter": None,
        "trial_period_days": given.get("trial_period_days"),
        "usage_type": "licensed",
    }


def _claim_lookup_key(lookup_key: str, *, transfer: bool) -> None:
    holder = store.of("price", key=lookup_key).first()
    if holder is None:
        return
    if not transfer:
        raise StripeError(
            f"A price (`{holder.stripe_id}`) already uses that lookup key.",
            code="resource_already_exists",
            param="lookup_key",
        )
    before = copy.deepcopy(holder.data)
    holder.data["lookup_key"], holder.key = None, ""
    events.updated(holder, before)


@endpoint("GET /v1/prices/{id}")
def retrieve_price(call: Call) -> Record:
    return store.get("price", call.id)


@endpoint("GET /v1/prices")
def list_prices(call: Call) -> dict[str, Any]:
    found = store.of("price")
    if "lookup_keys" in call.params:
        found = found.filter(key__in=call.params["lookup_keys"])
    filters = {
        "active": "data__active",
        "currency": "data__currency",
        "product": "parent",
        "type": "data__type",
    }
    return paging.page(call, found, filters, handled=("lookup_keys",))


@endpoint("POST /v1/prices/{id}")
def update_price(call: Call) -> Record:
    call.supports("active", "lookup_key", "transfer_lookup_key", "metadata", "nickname", "tax_behavior")
    record = store.get("price", call.id)
    before = copy.deepcopy(record.data)
    record.data |= {key: call.params[key] for key in ("active", "nickname", "tax_behavior") if key in call.params}
    if "lookup_key" in call.params and call.params["lookup_key"] != record.key:
        lookup = call.params["lookup_key"]
        if lookup:
            _claim_lookup_key(lookup, transfer=call.params.get("transfer_lookup_key", False))
        record.data["lookup_key"], record.key = lookup or None, lookup
    record.data["metadata"] = store.merge_metadata(before["metadata"], call.params.get("metadata"))
    events.updated(record, before)
    return record


def _or_null(value: Any) -> Any:
    return None if value == "" else value
