"""A customer's balance: credit (negative) or debt (positive) that finalizing an invoice uses, with its transactions."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from billing.emulator import events, paging, store
from billing.emulator.routing import endpoint

if TYPE_CHECKING:
    from billing.emulator.models import Record
    from billing.emulator.wire import Call

MINIMUM = 50  # minor units: less than this is never charged to a card


def apply(invoice: Record, customer: Record) -> None:
    """Use the balance on an invoice that is being finalized: what is due afterwards is what a card is asked for.

    A total below zero becomes credit; an amount too small to charge is owed from now on.
    """
    start: int = customer.data["balance"]
    left = start + invoice.data["total"]
    too_small = 0 < left < MINIMUM
    due = left if left > 0 and not too_small else 0
    ending = left - due
    invoice.data |= {
        "amount_due": due,
        "amount_remaining": due,
        "starting_balance": start,
        "ending_balance": ending,
    }
    if ending != start:
        kind = "invoice_too_small" if too_small else "applied_to_invoice"
        _move(customer, ending - start, kind, currency=invoice.data["currency"], invoice=invoice.stripe_id)


def give_back(invoice: Record) -> None:
    """An invoice is voided: the balance it had used is there again."""
    used = (invoice.data["ending_balance"] or 0) - invoice.data["starting_balance"]
    if used:
        customer = store.get("customer", invoice.customer)
        _move(customer, -used, "unapplied_from_invoice", currency=invoice.data["currency"], invoice=invoice.stripe_id)


def _move(customer: Record, amount: int, kind: str, *, currency: str, **more: Any) -> Record:
    before = copy.deepcopy(customer.data)
    customer.data["balance"] += amount
    moved = store.create(
        "customer_balance_transaction",
        {
            "amount": amount,
            "currency": currency,
            "customer": customer.stripe_id,
            "ending_balance": customer.data["balance"],
            "type": kind,
            **more,
        },
    )
    events.updated(customer, before)
    return moved


@endpoint("POST /v1/customers/{customer}/balance_transactions")
def create(call: Call) -> Record:
    """Credit or debit by hand."""
    call.supports("amount", "currency", "description", "metadata")
    customer = store.get("customer", call.id)
    return _move(
        customer,
        call.params["amount"],
        "adjustment",
        currency=call.params["currency"].lower(),
        description=call.params.get("description") or None,
        metadata=store.merge_metadata({}, call.params.get("metadata")),
    )


@endpoint("GET /v1/customers/{customer}/balance_transactions")
def index(call: Call) -> dict[str, Any]:
    store.get("customer", call.id)
    found = store.of("customer_balance_transaction", customer=call.id)
    return paging.page(call, found, {"invoice": "data__invoice"})
