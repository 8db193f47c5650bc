"""The ledger: which money came, went back or is contested, mirrored from Stripe's own lists.

`read` asks Stripe outside any transaction; `fold` writes inside sync's. What each refund or dispute does to the
membership is decided in refund_outcomes.py and disputes.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from billing import disputes, gateway, misplaced, refund_outcomes
from billing.models import Invoice, Payment
from membership import clock, search
from membership.models import SearchKey

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from membership.models import Membership

# Asked for with the invoices, so that one more list is enough: payments name the intents that paid an invoice.
EXPAND = ["data.payments"]


@dataclass(frozen=True)
class Charge:
    """A charge that took money for an invoice, with its refunds and disputes, oldest first."""

    data: dict[str, Any]
    invoice: dict[str, Any]
    refunds: list[dict[str, Any]] = field(default_factory=list)
    disputes: list[dict[str, Any]] = field(default_factory=list)


def read(invoices: list[dict[str, Any]]) -> list[Charge]:
    """The charges that paid these invoices (Stripe's, with their payments expanded), as Stripe has them now."""
    of_intent = {intent: invoice for invoice in invoices for intent in _intents(invoice)}
    if not of_intent:
        return []
    charges = gateway.client().v1.charges
    customer = next(iter(of_intent.values()))["customer"]
    found = gateway.read_all(charges.list, {"customer": customer, "expand": ["data.refunds"]})
    return [
        Charge(charge, of_intent[charge["payment_intent"]], _refunds(charge), _disputes(charge))
        for charge in reversed(found)
        if charge["paid"] and charge["amount_captured"] and charge["payment_intent"] in of_intent
    ]


def _intents(invoice: dict[str, Any]) -> list[str]:
    made = (invoice.get("payments") or {}).get("data") or []
    paid = [p["payment"].get("payment_intent") for p in made if p["status"] == "paid"]
    return [intent if isinstance(intent, str) else intent["id"] for intent in paid if intent]


def _refunds(charge: dict[str, Any]) -> list[dict[str, Any]]:
    shown = charge.get("refunds") or {"data": [], "has_more": False}
    if shown["has_more"]:  # Stripe embeds the newest ten
        return gateway.read_all(gateway.client().v1.refunds.list, {"charge": charge["id"]})[::-1]
    return list(shown["data"])[::-1]


def _disputes(charge: dict[str, Any]) -> list[dict[str, Any]]:
    if not charge.get("disputed"):
        return []
    return gateway.read_all(gateway.client().v1.disputes.list, {"charge": charge["id"]})[::-1]


def fold(membership: Membership, charges: Sequence[Charge], began: datetime) -> None:
    """Mirror each charge with what went back of it, and let it take its effect.

    A read older than what is kept changes nothing.
    """
    at = clock.now()
    for charge in charges:
        payment = _payment(membership, charge, began)
        if payment is None:
            continue
        had_no_place = bool(charge.refunds) and misplaced.gives_back(charge.invoice["id"])
        for refund in charge.refunds:
            refund_outcomes.told(payment, refund, misplaced=had_no_place, at=at)
        for dispute in charge.disputes:
            disputes.told(payment, dispute, at=at)


def _payment(membership: Membership, charge: Charge, began: datetime) -> Payment | None:
    """The mirror of a charge. None: a newer read was folded before."""
    data, currency = charge.data, charge.data["currency"].upper()
    paid_at = charge.invoice["status_transitions"]["paid_at"] or data["created"]
    address = (data.get("billing_details") or {}).get("address") or {}
    state = {
        "invoice": Invoice.objects.filter(stripe_id=charge.invoice["id"]).first(),
        "captured": gateway.from_stripe(data["amount_captured"], currency),
        "country": (address.get("country") or "").upper(),
        "read_at": began,
    }
    fixed = {
        "membership": membership,
        "intent_id": data["payment_intent"],
        "currency": currency,
        "paid_at": gateway.moment(paid_at),
    }
    row, new = Payment.objects.get_or_create(stripe_id=data["id"], defaults={**fixed, **state})
    if new:
        search.put(member=membership.member, kind=SearchKey.Kind.STRIPE, value=row.stripe_id)
        search.put(member=membership.member, kind=SearchKey.Kind.STRIPE, value=row.intent_id)
    elif not Payment.objects.filter(pk=row.pk, read_at__lt=began).update(**state):
        return None
    row.refresh_from_db()
    return row
