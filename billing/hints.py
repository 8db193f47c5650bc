"""From a charge, a refund or a dispute that an event names to the subscription it belongs to, which is read again."""

from __future__ import annotations

from typing import Any

from billing import gateway, sync


def charge(charge_id: str) -> None:
    """Read again what this charge paid for."""
    _of(gateway.read(gateway.client().v1.charges.retrieve, charge_id))


def refund(refund_id: str) -> None:
    """Read again what the refunded charge had paid for."""
    _of(gateway.read(gateway.client().v1.refunds.retrieve, refund_id))


def dispute(dispute_id: str) -> None:
    """Read again what the disputed charge had paid for."""
    _of(gateway.read(gateway.client().v1.disputes.retrieve, dispute_id))


def _of(found: dict[str, Any]) -> None:
    """A payment for no invoice is not ours to fold."""
    for invoice in invoices_of(found):
        sync.invoice(invoice)


def invoices_of(found: dict[str, Any]) -> list[str]:
    """The ids of the invoices that a charge, a refund or a dispute of Stripe's belongs to. Reads only."""
    intent = found.get("payment_intent")
    if not intent:
        return []
    asked = {"payment": {"type": "payment_intent", "payment_intent": intent}}
    made = gateway.read_all(gateway.client().v1.invoice_payments.list, asked)
    return [payment["invoice"] for payment in made]
