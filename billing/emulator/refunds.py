"""Refunds of a charge, full or in part, and what becomes of them on their way to the card.

Most have succeeded at once. Two test cards differ: on one a refund is pending and succeeds later, on the other it has
succeeded and fails later, so that the money is the seller's again.
"""

from __future__ import annotations

import copy
import secrets
from typing import TYPE_CHECKING, Any

from django.db import transaction

from billing.emulator import clock, disputes, events, money, paging, payment_methods, store, test_clocks
from billing.emulator.errors import StripeError, required
from billing.emulator.models import Record
from billing.emulator.routers import ALIAS
from billing.emulator.routing import endpoint
from billing.emulator.timeline import when_due

if TYPE_CHECKING:
    from billing.emulator.wire import Call

LATER = 600  # seconds until a test card's refund turns out differently


@endpoint("POST /v1/refunds")
def create(call: Call) -> Record:
    call.supports("amount", "charge", "payment_intent", "metadata", "reason")
    metadata = store.merge_metadata({}, call.params.get("metadata"))
    charge = _charge_of(call.params)
    return _make(charge, call.params.get("amount"), call.params.get("reason"), metadata)


def of_charge(charge_id: str, *, amount: int | None = None, reason: str | None = None) -> Record:
    """Refund `amount` (minor units) of a charge, or what is left of it. Raises StripeError as the API would."""
    with transaction.atomic(using=ALIAS):
        charge = Record.objects.select_for_update().get(kind="charge", stripe_id=charge_id)
        with test_clocks.standing_with(charge):
            return _make(charge, amount, reason, {})


def _make(charge: Record, asked: int | None, reason: str | None, metadata: dict[str, str]) -> Record:
    amount, fate = _amount(charge, asked), _fate(charge)
    pending = fate == "pending"
    refund = store.create(
        "refund",
        {
            "amount": amount,
            "charge": charge.stripe_id,
            "currency": charge.data["currency"],
            "customer": charge.customer or None,
            "destination_details": {"type": "card", "card": {"type": "refund", "reference_status": "pending"}},
            "metadata": metadata,
            "payment_intent": charge.data["payment_intent"],
            "payment_method": charge.data["payment_method"],
            "pending_reason": "processing" if pending else None,
            "reason": reason,
            "status": "pending" if pending else "succeeded",
        },
        parent=charge.stripe_id,
        key=charge.data["payment_intent"],
        due_at=clock.now() + LATER if fate else None,
    )
    _count(charge, amount)
    events.emit("refund.created", refund.data)
    events.emit("charge.refunded", charge.data)
    if not fate:
        _sent_to_the_bank(refund)
    return refund


def _fate(charge: Record) -> str:
    """What the card does to a refund: "" nothing, "fails" or "pending"."""
    method = store.find(charge.data["payment_method"])
    return payment_methods.card_of(method).refund if method else ""


def _count(charge: Record, amount: int) -> None:
    charge.data["amount_refunded"] += amount
    charge.data["refunded"] = charge.data["amount_refunded"] == charge.data["amount"]
    store.save(charge)


@when_due("refund")
def turn_out(refund: Record) -> None:
    """The bank has answered: a pending refund has arrived, or one that had succeeded comes back."""
    refund.due_at = None
    if refund.data["status"] == "pending":
        refund.data |= {"status": "succeeded", "pending_reason": None}
        _sent_to_the_bank(refund, {**refund.data, "status": "pending", "pending_reason": "processing"})
        return
    before = copy.deepcopy(refund.data)
    refund.data |= {"status": "failed", "failure_reason": "expired_or_canceled_card"}
    _count(store.get("charge", refund.parent), -refund.data["amount"])
    _tell(refund, before)
    events.emit("refund.failed", refund.data)


def _sent_to_the_bank(refund: Record, before: dict[str, Any] | None = None) -> None:
    """The bank's reference comes in."""
    before = copy.deepcopy(before or refund.data)
    refund.data["destination_details"]["card"] |= {
        "reference": secrets.token_hex(6),
        "reference_status": "available",
        "reference_type": "acquirer_reference_number",
    }
    _tell(refund, before)


def _tell(refund: Record, before: dict[str, Any]) -> None:
    """Both names of the event are told, the older one too."""
    for kind in ("refund.updated", "charge.refund.updated"):
        events.updated(refund, before, kind)


def _charge_of(params: dict[str, Any]) -> Record:
    if "charge" in params:
        return store.get("charge", params["charge"], param="charge")
    if "payment_intent" not in params:
        raise required("payment_intent")
    intent = store.get("payment_intent", params["payment_intent"], param="payment_intent")
    if intent.data["status"] != "succeeded":
        raise StripeError(
            f"This PaymentIntent ({intent.stripe_id}) does not have a successful charge to refund.",
            param="payment_intent",
        )
    return store.get("charge", intent.data["latest_charge"])


def _amount(charge: Record, asked: int | None) -> int:
    left: int = charge.data["amount"] - charge.data["amount_refunded"]
    if charge.data["status"] != "succeeded":
        raise StripeError(f"Charge {charge.stripe_id} was not successful and cannot be refunded.", param="charge")
    disputes.refuse_refund(charge)
    if left == 0:
        raise StripeError(f"Charge {charge.stripe_id} has already been refunded.", code="charge_already_refunded")
    amount = left if asked is None else asked
    if amount < 1:
        raise StripeError("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    if amount > left:
        currency = charge.data["currency"]
        raise StripeError(
            f"Refund amount ({money.text(amount, currency)}) is greater than unrefunded amount on charge "
            f"({money.text(left, currency)})",
            param="amount",
        )
    return amount


@endpoint("GET /v1/refunds/{id}")
def retrieve(call: Call) -> Record:
    return store.get("refund", call.id)


@endpoint("GET /v1/refunds")
def index(call: Call) -> dict[str, Any]:
    return paging.page(call, store.of("refund"), {"charge": "parent", "payment_intent": "key"})


@endpoint("POST /v1/refunds/{id}")
def update(call: Call) -> Record:
    call.supports("metadata")
    refund = store.get("refund", call.id)
    before = copy.deepcopy(refund.data)
    refund.data["metadata"] = store.merge_metadata(before["metadata"], call.params.get("metadata"))
    events.updated(refund, before)
    return refund
