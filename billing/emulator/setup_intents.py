"""Setup intents: a card kept for later without taking money now, as for a trial or a first year that costs nothing."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from django.conf import settings

from billing.emulator import events, paging, payment_methods, payments, store
from billing.emulator.routing import endpoint

if TYPE_CHECKING:
    from billing.emulator.models import Record
    from billing.emulator.wire import Call


def new_intent(*, customer: str | None, parent: str = "", **data: Any) -> Record:
    """A setup intent that waits for a card. `parent` is the session it is for."""
    stripe_id = store.new_id("setup_intent")
    record = store.create(
        "setup_intent",
        {
            "id": stripe_id,
            "client_secret": f"{stripe_id}_secret_{secrets.token_hex(12)}",
            "customer": customer,
            "payment_method_types": ["card"],
            "status": "requires_payment_method",
            "usage": "off_session",
            **data,
        },
        parent=parent,
    )
    events.emit("setup_intent.created", record.data)
    return record


def confirm(intent: Record, payment_method: Record, *, authenticated: bool = False) -> str:
    """Have the bank agree to later charges. Returns the decline code, "" if there is none."""
    card = payment_methods.card_of(payment_method)
    intent.data |= {"payment_method": payment_method.stripe_id, "next_action": None, "last_setup_error": None}
    if payments.needs_authentication(payment_method) and not authenticated:
        url = f"{settings.LOCAL_STRIPE['URL']}/3ds/{intent.stripe_id}"
        action = {"type": "redirect_to_url", "redirect_to_url": {"url": url, "return_url": None}}
        intent.data |= {"status": "requires_action", "next_action": action}
        store.save(intent)
        events.emit("setup_intent.requires_action", intent.data)
        return ""
    if not card.attaches:
        refuse(intent, payment_method, card.decline)
        return card.decline
    intent.data["status"] = "succeeded"
    store.save(intent)
    events.emit("setup_intent.succeeded", intent.data)
    return ""


def refuse(intent: Record, payment_method: Record, decline: str) -> None:
    """The bank or the holder said no: the intent waits for another card."""
    error = payment_methods.declined(decline).body | {"payment_method": payment_method.data}
    intent.data |= {
        "status": "requires_payment_method",
        "payment_method": None,
        "next_action": None,
        "last_setup_error": error,
    }
    store.save(intent)
    events.emit("setup_intent.setup_failed", intent.data)


@endpoint("GET /v1/setup_intents/{id}")
def retrieve(call: Call) -> Record:
    return store.get("setup_intent", call.id)


@endpoint("GET /v1/setup_intents")
def index(call: Call) -> dict[str, Any]:
    return paging.page(call, store.of("setup_intent"), {"customer": "customer"})
