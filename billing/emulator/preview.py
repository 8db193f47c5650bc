"""Previews: the invoice a change would make, or the next one. A preview is the change itself, done and taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from billing.emulator import balance, clock, renewals, store, subscription_changes, subscriptions
from billing.emulator.errors import StripeError, required, unsupported
from billing.emulator.routers import ALIAS
from billing.emulator.routing import endpoint

if TYPE_CHECKING:
    from billing.emulator.models import Record
    from billing.emulator.wire import Call

CHANGES = ("items", "proration_behavior", "proration_date", "trial_end", "cancel_at", "cancel_at_period_end")


@endpoint("POST /v1/invoices/create_preview")
def create_preview(call: Call) -> dict[str, Any]:
    call.supports("customer", "subscription", "subscription_details")
    record = _subscription(call.params)
    details = call.params.get("subscription_details") or {}
    if beyond := sorted(set(details) - set(CHANGES)):
        raise unsupported(f"subscription_details[{beyond[0]}] in a preview")
    with transaction.atomic(using=ALIAS):
        invoice = subscription_changes.apply(record, details) or _upcoming(record)
        shown = _as_preview(invoice.data)
        transaction.set_rollback(True, using=ALIAS)
    return shown


def _subscription(params: dict[str, Any]) -> Record:
    if stripe_id := params.get("subscription"):
        return store.get("subscription", stripe_id, param="subscription")
    customer = params.get("customer")
    if not customer:
        raise required("customer")
    found = store.of("subscription", customer=customer).exclude(data__status__in=list(subscriptions.ENDED)).first()
    if found is None:
        raise _nothing_comes(customer)
    return found


def _nothing_comes(customer: str) -> StripeError:
    return StripeError(
        f"No upcoming invoices for customer: {customer}", status=404, code="invoice_upcoming_none", param="customer"
    )


def _upcoming(record: Record) -> Record:
    """What the next renewal will ask for, with what waits for it: the renewal itself, at its moment."""
    start = subscriptions.items_of(record)[0]["current_period_end"]
    ends = record.data["cancel_at"] is not None and record.data["cancel_at"] <= start
    if record.data["status"] in subscriptions.ENDED or ends:
        raise _nothing_comes(record.customer)
    with clock.standing_at(start, test_clock=record.test_clock):
        latest = record.data["latest_invoice"]
        renewals.renew(record)
        if record.data["latest_invoice"] == latest:  # a trial that ends without a card
            raise _nothing_comes(record.customer)
        invoice = store.get("invoice", record.data["latest_invoice"])
        balance.apply(invoice, store.get("customer", record.customer))
    return invoice


def _as_preview(data: dict[str, Any]) -> dict[str, Any]:
    """A draft that has no number yet, under an id of its own."""
    shown_id = f"upcoming_{data['id']}"
    lines = [line | {"id": f"il_tmp_{line['id'][3:]}", "invoice": shown_id} for line in data["lines"]["data"]]
    transitions = dict.fromkeys(data["status_transitions"])
    return data | {
        "id": shown_id,
        "billing_reason": "upcoming",
        "created": clock.now(),
        "effective_at": None,
        "hosted_invoice_url": None,
        "lines": data["lines"] | {"data": lines, "url": f"/v1/invoices/{shown_id}/lines"},
        "number": None,
        "status": "draft",
        "status_transitions": transitions,
    }
