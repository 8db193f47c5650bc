"""Webhook endpoints: where events go, which ones, and the secrets they are signed with."""

from __future__ import annotations

import copy
import secrets
from typing import TYPE_CHECKING, Any

import stripe
from django.db import transaction

from billing.emulator import clock, paging, store
from billing.emulator.errors import StripeError, check_url
from billing.emulator.routers import ALIAS
from billing.emulator.routing import endpoint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from billing.emulator.models import Record
    from billing.emulator.wire import Call

OVERLAP = 24 * 3600  # seconds an old secret goes on signing beside the new one
MOST = 16


@endpoint("POST /v1/webhook_endpoints")
def create(call: Call) -> dict[str, Any]:
    if store.of("webhook_endpoint").count() >= MOST:
        raise StripeError(f"You have reached the maximum of {MOST} test webhook endpoints.")
    check_url(call.params["url"], "url")
    record = _create(
        url=call.params["url"],
        events=call.params["enabled_events"],
        secret="whsec_" + secrets.token_hex(24),
        api_version=call.params.get("api_version"),
        description=call.params.get("description") or None,
        metadata=store.merge_metadata({}, call.params.get("metadata")),
    )
    return {**record.data, "secret": record.hidden["secrets"][0]["secret"]}


def _create(*, url: str, events: Sequence[str], secret: str, **more: Any) -> Record:
    data = {"url": url, "enabled_events": list(events), "status": "enabled", **more}
    return store.create("webhook_endpoint", data, hidden={"secrets": [{"secret": secret, "until": None}]})


@endpoint("GET /v1/webhook_endpoints/{id}")
def retrieve(call: Call) -> Record:
    return store.get("webhook_endpoint", call.id)


@endpoint("GET /v1/webhook_endpoints")
def index(call: Call) -> dict[str, Any]:
    return paging.page(call, store.of("webhook_endpoint"))


@endpoint("POST /v1/webhook_endpoints/{id}")
def update(call: Call) -> Record:
    record = store.get("webhook_endpoint", call.id)
    check_url(call.params.get("url", record.data["url"]), "url")
    data = copy.deepcopy(record.data)
    data |= {key: call.params[key] for key in ("url", "enabled_events", "description") if key in call.params}
    if "disabled" in call.params:
        data["status"] = "disabled" if call.params["disabled"] else "enabled"
    data["metadata"] = store.merge_metadata(data["metadata"], call.params.get("metadata"))
    record.data = data
    store.save(record)
    return record


@endpoint("DELETE /v1/webhook_endpoints/{id}")
def delete(call: Call) -> dict[str, Any]:
    return store.delete(store.get("webhook_endpoint", call.id))


def signing_secrets(webhook: Record) -> list[str]:
    """The secrets that sign now: the newest, and older ones that are still being rotated out."""
    now = clock.wall()
    return [s["secret"] for s in webhook.hidden["secrets"] if s["until"] is None or s["until"] > now]


def roll_secret(webhook: Record, *, secret: str) -> None:
    """A new secret; the old one signs beside it for 24 hours."""
    until = clock.wall() + OVERLAP
    old = [{**one, "until": one["until"] or until} for one in webhook.hidden["secrets"]]
    webhook.hidden = {"secrets": [{"secret": secret, "until": None}, *old]}
    store.save(webhook)


def set_webhook_endpoint(*, url: str, secret: str, events: Sequence[str] = ("*",)) -> Record:
    """Make the one endpoint of this installation point at `url` and sign with `secret`; its id is kept.

    For the boot of a demo, whose port and secret may differ from the last start.
    """
    with transaction.atomic(using=ALIAS):
        first = store.of("webhook_endpoint").order_by("id").first()
        if first is None:
            return _create(url=url, events=events, secret=secret, api_version=stripe.api_version)
        first.data = {**first.data, "url": url, "enabled_events": list(events), "status": "enabled"}
        if first.hidden["secrets"][0]["secret"] != secret:
            first.hidden = {"secrets": [{"secret": secret, "until": None}]}
        store.save(first)
        return first
