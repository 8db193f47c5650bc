"""Sessions of the customer portal: a short-lived address at which one customer looks after card and subscription.

An address nobody opens dies after five minutes, an opened one an hour after it was used last.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from django.conf import settings

from billing.emulator import clock, events, portal, store, subscriptions
from billing.emulator.errors import StripeError, check_url, required, unsupported
from billing.emulator.routing import endpoint

if TYPE_CHECKING:
    from billing.emulator.models import Record
    from billing.emulator.wire import Call

KIND = "billing_portal.session"
UNOPENED, UNUSED = 300, 3600  # seconds until an address dies
FLOWS = {"payment_method_update": "payment_method_update", "subscription_cancel": "subscription_cancel"}


@endpoint("POST /v1/billing_portal/sessions")
def create(call: Call) -> Record:
    call.supports("configuration", "customer", "flow_data", "locale", "return_url")
    params = call.params
    if "customer" not in params:
        raise required("customer")
    customer = store.get("customer", params["customer"], param="customer")
    configuration = _configuration(params.get("configuration"))
    if "return_url" in params:
        check_url(params["return_url"], "return_url")
    token = f"test_{secrets.token_urlsafe(32)}"
    session = store.create(
        KIND,
        {
            "configuration": configuration.stripe_id,
            "customer": customer.stripe_id,
            "flow": _flow(params["flow_data"], customer, configuration) if "flow_data" in params else None,
            "locale": params.get("locale"),
            "return_url": params.get("return_url") or configuration.data["default_return_url"],
            "url": f"{settings.LOCAL_STRIPE['URL']}/p/session/{token}",
        },
        key=token,
        hidden={"expires_at": clock.world() + UNOPENED},
    )
    events.emit("billing_portal.session.created", session.data)
    return session


def _configuration(asked: str | None) -> Record:
    if asked:
        return store.get(portal.KIND, asked, param="configuration")
    default = store.of(portal.KIND, data__is_default=True, data__active=True).first()
    if default is None:
        raise StripeError(
            "No configuration provided and your test mode default configuration has not been created. Provide a "
            "configuration or create your default by saving your customer portal settings in test mode."
        )
    return default


def _flow(given: dict[str, Any], customer: Record, configuration: Record) -> dict[str, Any]:
    kind = given["type"]
    if kind not in FLOWS:
        raise unsupported(f"flow_data[type]={kind}")
    if not configuration.data["features"][FLOWS[kind]]["enabled"]:
        raise StripeError(
            f"This flow cannot be used because the {FLOWS[kind]} feature in the portal configuration is disabled.",
            param="flow_data[type]",
        )
    flow = {"type": kind, "after_completion": _afterwards(given.get("after_completion", {}))}
    if kind == "subscription_cancel":
        flow[kind] = _to_cancel(given.get(kind, {}), customer)
    return flow


def _afterwards(given: dict[str, Any]) -> dict[str, Any]:
    kind, redirect = given.get("type", "portal_homepage"), given.get("redirect")
    if kind == "redirect":
        if not redirect:
            raise required("flow_data[after_completion][redirect][return_url]")
        check_url(redirect["return_url"], "flow_data[after_completion][redirect][return_url]")
    return {"type": kind, "redirect": redirect, "hosted_confirmation": given.get("hosted_confirmation")}


def _to_cancel(given: dict[str, Any], customer: Record) -> dict[str, Any]:
    param = "flow_data[subscription_cancel][subscription]"
    if "subscription" not in given:
        raise required(param)
    if "retention" in given:
        raise unsupported("flow_data[subscription_cancel][retention]")
    subscription = store.get("subscription", given["subscription"], param=param)
    if subscription.customer != customer.stripe_id:
        raise StripeError(f"{subscription.stripe_id} does not belong to this customer.", param=param)
    if subscription.data["status"] in subscriptions.ENDED or subscription.data["cancel_at"]:
        raise StripeError(f"{subscription.stripe_id} has been canceled already.", param=param)
    return {"subscription": subscription.stripe_id}


def opened(token: str) -> Record | None:
    """The session at this address, good for another hour from now; None when there is none, or not any more."""
    session = store.of(KIND, key=token).first()
    if session is None or session.hidden["expires_at"] <= clock.world():
        return None
    session.hidden["expires_at"] = clock.world() + UNUSED
    session.save(update_fields=["hidden"])
    return session


def features(session: Record) -> dict[str, dict[str, Any]]:
    """What the session's configuration offers now."""
    offered: dict[str, dict[str, Any]] = store.get(portal.KIND, session.data["configuration"]).data["features"]
    return offered
