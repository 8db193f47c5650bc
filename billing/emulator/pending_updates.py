"""Pending updates: a change that waits for its money. Paid, it applies; voided or out of time, it is gone."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from billing.emulator import clock, events, invoices, store, subscriptions
from billing.emulator.errors import unsupported
from billing.emulator.timeline import when_due

if TYPE_CHECKING:
    from billing.emulator.models import Record

LASTS = 23 * 3600
WHAT = (
    "billing_cycle_anchor", "cancel_at_period_end", "discount", "discounts", "metadata", "trial_end", "trial_from_plan",
)  # fmt: skip


def keep(record: Record, before: dict[str, Any]) -> None:
    """The items stay as they were; what was wanted waits, at most 23 hours and not beyond the period."""
    if record.data["billing_cycle_anchor"] != before["billing_cycle_anchor"]:
        raise unsupported("payment_behavior=pending_if_incomplete with another interval")
    wanted = copy.deepcopy(subscriptions.items_of(record))
    record.data["items"] = before["items"]
    ends = min(item["current_period_end"] for item in subscriptions.items_of(record))
    nothing = dict.fromkeys(WHAT)
    record.data["pending_update"] = {
        **nothing, "expires_at": min(clock.now() + LASTS, ends), "subscription_items": wanted,
    }  # fmt: skip


def _waits_for(record: Record, invoice: Record) -> bool:
    return bool(record.data["pending_update"]) and record.data["latest_invoice"] == invoice.stripe_id


@invoices.when_paid
def apply(record: Record, invoice: Record) -> None:
    """Its invoice is paid, whoever did it."""
    if _waits_for(record, invoice):
        before = copy.deepcopy(record.data)
        record.data["items"]["data"] = record.data["pending_update"]["subscription_items"]
        record.data["pending_update"] = None
        events.updated(record, before, "customer.subscription.updated")


@invoices.when_voided
def discard(record: Record, invoice: Record) -> None:
    if _waits_for(record, invoice):
        before = copy.deepcopy(record.data)
        record.data["pending_update"] = None
        events.updated(record, before, "customer.subscription.updated")


def runs_out(record: Record) -> int | None:
    pending = record.data["pending_update"]
    return pending["expires_at"] if pending and record.data["status"] not in subscriptions.ENDED else None


@when_due("subscription", at=runs_out, rank=0)
def expire(record: Record) -> None:
    """Nobody paid in time: its invoice is voided."""
    invoices.void(store.get("invoice", record.data["latest_invoice"]), at=clock.now())
