"""The customer portal's configurations: what its pages offer; `portal_sessions` opens them."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from billing.emulator import clock, paging, store
from billing.emulator.errors import missing
from billing.emulator.routing import endpoint

if TYPE_CHECKING:
    from billing.emulator.models import Record
    from billing.emulator.wire import Call

KIND = "billing_portal.configuration"
FEATURES: dict[str, dict[str, Any]] = {
    "customer_update": {"allowed_updates": []},
    "invoice_history": {},
    "payment_method_update": {},
    "subscription_cancel": {
        "cancellation_reason": {"enabled": False, "options": []},
        "mode": "at_period_end",
        "proration_behavior": "none",
    },
    "subscription_pause": {"duration": {"interval_options": [], "type": "indefinite"}},
    "subscription_update": {
        "default_allowed_updates": [],
        "proration_behavior": "none",
        "schedule_at_period_end": {"conditions": []},
        "trial_update_behavior": "end_trial",
    },
}


@endpoint("POST /v1/billing_portal/configurations")
def create(call: Call) -> Record:
    call.supports("features", "business_profile", "default_return_url", "login_page", "metadata", "name")
    first = not store.of(KIND).exists()
    empty = {
        "active": True,
        "application": None,
        "is_default": first,
        "metadata": {},
        "features": _features({}, {}),
    }
    data = _changed(empty, call.params)
    return store.create(KIND, {**data, "updated": clock.now()})


@endpoint("GET /v1/billing_portal/configurations/{id}")
def retrieve(call: Call) -> Record:
    return store.get(KIND, call.id)


@endpoint("GET /v1/billing_portal/configurations")
def index(call: Call) -> dict[str, Any]:
    return paging.page(call, store.of(KIND), {"active": "data__active", "is_default": "data__is_default"})


@endpoint("POST /v1/billing_portal/configurations/{id}")
def update(call: Call) -> Record:
    call.supports("active", "features", "business_profile", "default_return_url", "login_page", "metadata", "name")
    record = store.get(KIND, call.id)
    record.data = {**_changed(record.data, call.params), "updated": clock.now()}
    store.save(record)
    return record


def _changed(old: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    data = copy.deepcopy(old)
    data |= {key: params[key] or None for key in ("default_return_url", "name") if key in params}
    data["active"] = params.get("active", data["active"])
    data["business_profile"] = {**(data.get("business_profile") or {}), **params.get("business_profile", {})}
    data["metadata"] = store.merge_metadata(data["metadata"], params.get("metadata"))
    data["login_page"] = {"enabled": params.get("login_page", {}).get("enabled", False), "url": None}
    data["features"] = _features(data["features"], params.get("features", {}))
    return data


def _features(old: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Every feature, switched off and in its default form unless said otherwise."""
    features = {}
    for name, defaults in FEATURES.items():
        asked = given.get(name, {})
        features[name] = {"enabled": False, **copy.deepcopy(defaults), **old.get(name, {}), **asked}
    for product in features["subscription_update"].get("products") or []:
        if store.find(product["product"]) is None:
            raise missing("product", product["product"], "features[subscription_update][products]")
    return features
