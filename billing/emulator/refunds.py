"""Refunds of a charge, full or in part."""

from __future__ import annotations

import copy
import secrets
from typing import TYPE_CHECKING, Any

from billing.emulator import events, money, paging, store
from billing.emulator.errors import StripeError, required
from billing.emulator.routing import endpoint

if TYPE_CHECKING:
    from billing.emulator.models import Record
    from billing.emulator.wire import Call


@endpoint("POST /v1/refunds")
def create(call: Call) -> Record:
    call.supports("amount", "charge", "payment_intent", "metadata", "reason")
    charge = _charge_of(call.params)
    amount = _amount(charge, call.params.get("amount"))
    refund = store.create(
        "refund",
        {
            "amount": amount,
            "charge": charge.stripe_id,
            "currency": charge.data["currency"],
            "customer": charge.customer or None,
            "destination_details": {"type": "card", "card": {"type": "refund", "reference_status": "pending"}},
            "metadata": store.merge_metadata({}, call.params.get("metadata")),
            "payment_intent": charge.data["payment_intent"],
            "payment_method": charge.data["payment_method"],
            "reason": call.params.get("reason"),
            "status": "succeeded",
        },
        parent=charge.stripe_id,
        key=charge.data["payment_intent"],
    )
    charge.data["amount_refunded"] += amount
    charge.data["refunded"] = charge.data["amount_refunded"] == charge.data["amount"]
    store.save(charge)
    events.emit("refund.created", refund.data)
    events.emit("charge.refunded", charge.data)
    _sent_to_the_bank(refund)
    return refund


def _sent_to_the_bank(refund: Record) -> None:
    """The bank's reference comes in; both names of the event are told, the older one too."""
    before = copy.deepcopy(refund.data)
    refund.data["destination_details"]["card"] |= {
        "reference": secrets.token_hex(6),
        "reference_status": "available",
        "reference_type": "acquirer_reference_number",
    }
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
