"""Leftovers: invoices that are still unpaid at Stripe though their subscription is over. They are voided.

Stripe leaves the last unpaid invoice payable when it gives a subscription up, so a membership that has ended could be
charged by an old link; and it stops the automatic charge of finalized invoices only, so a draft would be charged still.
The decision is an Operation row written in the transaction that saw it; who comes next finishes it. Called by sync,
and by the janitor for what was not answered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from billing import gateway, operations
from billing.models import Operation

if TYPE_CHECKING:
    from membership.models import Membership

VOID = "void_leftover"


def note(membership: Membership, subscription: dict[str, Any], invoices: list[dict[str, Any]]) -> None:
    """Decide: what is unpaid of this canceled subscription (both as Stripe has them) is voided. Safe to repeat."""
    if subscription["status"] != "canceled":
        return
    for invoice in invoices:
        if _is_unpaid(invoice):
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
    """Void one, if it is still unpaid: paid in this very moment, it is read again and the money given back."""
    invoice = gateway.read(gateway.client().v1.invoices.retrieve, operation.params["invoice"])
    if not _is_unpaid(invoice):
        operations.done(operation, stripe_id=invoice["id"])
        return True
    return operations.settle(operation, lambda: drop(invoice))


def _is_unpaid(invoice: dict[str, Any]) -> bool:
    """A draft whose automatic charge is off may stay one (see `drop`)."""
    return invoice["status"] == "open" or (invoice["status"] == "draft" and _can_be_voided(invoice))


def _can_be_voided(draft: dict[str, Any]) -> bool:
    return bool(draft["starting_balance"] >= 0 or draft["auto_advance"])


def drop(invoice: dict[str, Any]) -> None:
    """Void what was asked for and is unpaid. A draft cannot be voided: it is finalized without being charged first.

    One that finalizing would pay from the customer's balance only loses its automatic charge. Raises StripeRefused,
    StripeUnavailable.
    """
    invoices = gateway.client().v1.invoices
    if invoice["status"] == "draft" and invoice["starting_balance"] < 0:
        gateway.call(invoices.update, invoice["id"], {"auto_advance": False})
        return
    if invoice["status"] == "draft":
        invoice = gateway.read(invoices.finalize_invoice, invoice["id"], {"auto_advance": False})
    if invoice["status"] == "open":
        gateway.call(invoices.void_invoice, invoice["id"])
