"""Events: what happened, as Stripe tells it; made in the transaction of the change, with a delivery per endpoint."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, cast

import stripe
from django.conf import settings

from billing.emulator import clock, contract, paging, store
from billing.emulator.models import Delivery, Record
from billing.emulator.routing import endpoint
from billing.emulator.wire import current

if TYPE_CHECKING:
    from billing.emulator.wire import Call


def emit(kind: str, obj: dict[str, Any], previous: dict[str, Any] | None = None) -> None:
    """Tell the world that `kind` happened to `obj` as it stands now. `previous` belongs to *.updated alone."""
    listeners = [one for one in store.of("webhook_endpoint") if _wants(one, kind)]
    data: dict[str, Any] = {"object": copy.deepcopy(obj)}
    if previous is not None:
        data["previous_attributes"] = previous
    call = current.get()
    request = {"id": call and call.request_id, "idempotency_key": (call and call.idempotency_key) or None}
    event = store.create(
        "event",
        {
            "api_version": stripe.api_version,
            "data": data,
            "pending_webhooks": len(listeners),
            "request": request,
            "type": kind,
        },
        key=kind,
        parent=str(obj.get("id", "")),
    )
    if settings.LOCAL_STRIPE.get("CHECK"):
        contract.check_event(event.data)
    now = clock.wall()
    Delivery.objects.bulk_create(
        [Delivery(event=event, endpoint=one, first_due_at=now, due_at=now) for one in listeners]
    )


def updated(record: Record, before: dict[str, Any], kind: str | None = None) -> None:
    """Save a changed object and tell of it, with what its changed fields were; nothing changed, nothing said."""
    store.save(record)
    if previous := changes(before, record.data):
        emit(kind or f"{record.kind}.updated", record.data, previous)


def changes(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """The former values of what changed; of nested objects only the changed parts."""
    changed: dict[str, Any] = {}
    for key, old in before.items():
        new = after.get(key)
        if old == new:
            continue
        nested = isinstance(old, dict) and isinstance(new, dict) and key != "metadata"
        changed[key] = changes(old, cast("dict[str, Any]", new)) if nested else old
    return changed | {key: None for key in after if key not in before}


def _wants(webhook: Record, kind: str) -> bool:
    wanted = webhook.data["enabled_events"]
    return webhook.data["status"] == "enabled" and (kind in wanted or "*" in wanted)


@endpoint("GET /v1/events/{id}")
def retrieve(call: Call) -> Record:
    return store.get("event", call.id)


@endpoint("GET /v1/events")
def index(call: Call) -> dict[str, Any]:
    found = store.of("event")
    if "type" in call.params:
        wanted = call.params["type"]
        found = found.filter(key__startswith=wanted[:-1]) if wanted.endswith("*") else found.filter(key=wanted)
    if "types" in call.params:
        found = found.filter(key__in=call.params["types"])
    if "delivery_success" in call.params:
        undelivered = Delivery.objects.exclude(state=Delivery.State.DELIVERED).values("event")
        success = call.params["delivery_success"]
        found = found.exclude(id__in=undelivered) if success else found.filter(id__in=undelivered)
    return paging.page(call, found, handled=("type", "types", "delivery_success"))
