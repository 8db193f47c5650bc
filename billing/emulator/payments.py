"""The payment engine: payment intents, their charges, and what a card does when it is asked for money."""

from __future__ import annotations

import copy
import secrets
from typing import TYPE_CHECKING, Any

from django.conf import settings

from billing.emulator import clock, events, paging, payment_methods, store
from billing.emulator.routing import endpoint

if TYPE_CHECKING:
    from billing.emulator.models import Record
    from billing.emulator.wire import Call

OUTCOMES = {
    "": {
        "network_status": "approved_by_network",
        "risk_level": "normal",
        "seller_message": "Payment complete.",
        "type": "authorized",
    },
    "declined": {
        "network_status": "declined_by_network",
        "risk_level": "normal",
        "seller_message": "The bank did not return any further details with this decline.",
        "type": "issuer_declined",
    },
}


def new_intent(*, amount: int, currency: str, customer: str | None, parent: str = "", **data: Any) -> Record:
    """A payment intent that waits for a card. `parent` is the session or invoice it is for."""
    stripe_id = store.new_id("payment_intent")
    record = store.create(
        "payment_intent",
        {
            "id": stripe_id,
            "amount": amount,
            "amount_capturable": 0,
            "amount_received": 0,
            "automatic_payment_methods": {"allow_redirects": "always", "enabled": True},
            "capture_method": "automatic_async",
            "client_secret": f"{stripe_id}_secret_{secrets.token_hex(12)}",
            "confirmation_method": "automatic",
            "currency": currency,
            "customer": customer,
            "payment_method_types": ["card"],
            "status": "requires_payment_method",
            **data,
        },
        parent=parent,
    )
    events.emit("payment_intent.created", record.data)
    return record


def confirm(intent: Record, payment_method: Record, *, authenticated: bool = False, off_session: bool = False) -> str:
    """Ask the card for the money, its holder being present unless off session. Returns the decline code, "" if none.

    Afterwards the intent's status says what happened: succeeded, requires_action (3DS) or requires_payment_method.
    """
    card = payment_methods.card_of(payment_method)
    intent.data |= {
        "payment_method": payment_method.stripe_id,
        "next_action": None,
        "last_payment_error": None,
    }
    if needs_authentication(payment_method) and not authenticated:
        intent.data |= {"status": "requires_action", "next_action": _next_action(intent)}
        if off_session:
            error = payment_methods.declined("authentication_required").body
            intent.data["last_payment_error"] = {**error, "payment_method": payment_method.data}
        store.save(intent)
        events.emit("payment_intent.requires_action", intent.data)
        return ""
    if card.decline:
        _decline(intent, payment_method, card.decline)
        return card.decline
    _succeed(intent, payment_method)
    return ""


def needs_authentication(payment_method: Record) -> bool:
    """3DS is asked always, or until the card has been set up once."""
    three_ds = payment_methods.card_of(payment_method).three_ds
    return three_ds == "always" or (three_ds == "unless_set_up" and not payment_method.hidden["set_up"])


def _next_action(intent: Record) -> dict[str, Any]:
    url = f"{settings.LOCAL_STRIPE['URL']}/3ds/{intent.stripe_id}"
    return {"type": "redirect_to_url", "redirect_to_url": {"url": url, "return_url": None}}


def _succeed(intent: Record, payment_method: Record) -> None:
    charge = _charge(intent, payment_method, status="succeeded")
    if payment_methods.card_of(payment_method).dispute:
        charge.due_at = clock.now()  # its holder disputes it at the next opportunity, see `disputes`
        store.save(charge)
    intent.data |= {
        "status": "succeeded",
        "amount_received": intent.data["amount"],
        "latest_charge": charge.stripe_id,
    }
    store.save(intent)
    events.emit("charge.succeeded", charge.data)
    events.emit("payment_intent.succeeded", intent.data)


def _decline(intent: Record, payment_method: Record, decline: str) -> None:
    error = payment_methods.declined(decline).body
    charge = _charge(
        intent,
        payment_method,
        status="failed",
        failure_code=error["code"],
        failure_message=error["message"],
        outcome=OUTCOMES["declined"] | {"reason": decline},
    )
    _fail(intent, payment_method, error | {"charge": charge.stripe_id}, latest_charge=charge.stripe_id)
    events.emit("charge.failed", charge.data)
    events.emit("payment_intent.payment_failed", intent.data)


def refuse_authentication(intent: Record, payment_method: Record) -> None:
    """The holder failed 3DS: nothing is charged, the intent waits for another card."""
    error = payment_methods.declined("authentication_failed").body
    _fail(intent, payment_method, error)
    events.emit("payment_intent.payment_failed", intent.data)


def _fail(intent: Record, payment_method: Record, error: dict[str, Any], **data: Any) -> None:
    shown = {**error, "payment_method": payment_method.data}
    intent.data |= {
        "status": "requires_payment_method",
        "payment_method": None,
        "next_action": None,
        "last_payment_error": shown,
        **data,
    }
    store.save(intent)


def cancel(intent: Record, *, at: int, reason: str = "abandoned") -> None:
    """Give an unpaid intent up."""
    intent.data |= {
        "status": "canceled",
        "canceled_at": at,
        "cancellation_reason": reason,
        "next_action": None,
    }
    store.save(intent)
    events.emit("payment_intent.canceled", intent.data)


def _charge(intent: Record, payment_method: Record, *, status: str, **data: Any) -> Record:
    paid = status == "succeeded"
    card = payment_method.data["card"]
    details = {
        key: card[key] for key in ("brand", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4")
    }
    return store.create(
        "charge",
        {
            "amount": intent.data["amount"],
            "amount_captured": intent.data["amount"] if paid else 0,
            "amount_refunded": 0,
            "billing_details": copy.deepcopy(payment_method.data["billing_details"]),
            "calculated_statement_descriptor": "LOCAL STRIPE",
            "captured": paid,
            "currency": intent.data["currency"],
            "customer": intent.data["customer"],
            "description": intent.data["description"],
            "fraud_details": {},
            "metadata": dict(intent.data["metadata"]),
            "outcome": OUTCOMES[""],
            "paid": paid,
            "payment_intent": intent.stripe_id,
            "payment_method": payment_method.stripe_id,
            "payment_method_details": {"type": "card", "card": {**details, "network": card["brand"]}},
            "status": status,
            **data,
        },
        parent=intent.stripe_id,
    )


@endpoint("GET /v1/payment_intents/{id}")
def retrieve_intent(call: Call) -> Record:
    return store.get("payment_intent", call.id)


@endpoint("GET /v1/payment_intents")
def list_intents(call: Call) -> dict[str, Any]:
    return paging.page(call, store.of("payment_intent"), {"customer": "customer"})


@endpoint("GET /v1/charges/{id}")
def retrieve_charge(call: Call) -> Record:
    return store.get("charge", call.id)


@endpoint("GET /v1/charges")
def list_charges(call: Call) -> dict[str, Any]:
    return paging.page(call, store.of("charge"), {"customer": "customer", "payment_intent": "parent"})
