"""Leftovers: invoices that are still open at Stripe though their subscription is over. They are voided.

Stripe leaves the last unpaid invoice payable when it gives a subscription up, so a membership that has ended could be
charged by an old link. The decision is an Operation row written in the transaction that saw it; who comes next
finishes it. Called by sync, and by the janitor for what was not answered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from billing import gateway, operations
from billing.models import Operation

if TYPE_CHECKING:
    from membership.models import Membership

VOID = "void_leftover"


def note(membership: Membership, subscription: dict[str, Any], invoices: list[dict[str, Any]]) -> None:
    """Decide: what is open of this canceled subscription (both as Stripe has them) is voided. Safe to repeat."""
    if subscription["status"] != "canceled":
        return
    for invoice in invoices:
        if invoice["status"] == "open":
            operations.note(
                key=f"{VOID}:{invoice['id']}",
                kind=VOID,
                params={"subscription": subscription["id"], "invoice": invoice["id"]},
                member=membership.member,
            )


def void(membership: Membership, subscription_id: str) -> bool:
    """Void at Stripe what was noted of its subscription.

    -> whether anything was done, so that it is worth reading again. Raises StripeUnavailable.
    """
    waiting = Operation.objects.filter(
        member=membership.member_id, kind=VOID, state=Operation.State.UNKNOWN, params__subscription=subscription_id
    ).order_by("pk")
    return sum(repeat(operation) for operation in waiting) > 0


def repeat(operation: Operation) -> bool:
    """Void one, if it is still open: paid in this very moment, it is read again and the money given back."""
    stripe = gateway.client().v1.invoices
    invoice_id = operation.params["invoice"]
    if gateway.read(stripe.retrieve, invoice_id)["status"] != "open":
        operations.done(operation, stripe_id=invoice_id)
        return True
    return operations.settle(operation, lambda: stripe.void_invoice(invoice_id))
