"""A period's end: the next one begins at once, its invoice is a draft for an hour, then the money is asked for."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from billing.emulator import (
    clock,
    discounts,
    dunning,
    events,
    invoice_drafts,
    invoices,
    period_lines,
    proration,
    store,
    subscriptions,
)
from billing.emulator.timeline import when_due

if TYPE_CHECKING:
    from billing.emulator.models import Record

RENEWED = frozenset({"active", "trialing", "past_due", "unpaid"})
DRAFT_FOR, ATTEMPT_AFTER = 3601, 3600  # seconds, as recorded
TRIAL_END_TOLD = 3 * 86_400


def period_ends(subscription: Record) -> int | None:
    if subscription.data["status"] not in RENEWED:
        return None
    return min(int(item["current_period_end"]) for item in subscriptions.items_of(subscription))


@when_due("subscription", at=period_ends, rank=1)
def renew(subscription: Record) -> None:
    """Begin the next period with its draft invoice. A trial's end is one too: active before anything is paid."""
    before = copy.deepcopy(subscription.data)
    if subscription.data["status"] == "trialing" and not _goes_on(subscription):
        return
    looks_back = _roll(subscription)
    invoice = _draft(subscription, looks_back)
    subscription.data["latest_invoice"] = invoice.stripe_id
    events.updated(subscription, before, "customer.subscription.updated")
    events.emit("invoice.created", invoice.data)


def _goes_on(subscription: Record) -> bool:
    """Whether a trial becomes a paid subscription; without a card that is as its settings say."""
    subscription.data["status"] = "active"
    behavior = subscription.data["trial_settings"]["end_behavior"]["missing_payment_method"]
    if behavior == "create_invoice" or subscriptions.method_of(subscription) is not None:
        return True
    before = copy.deepcopy(subscription.data)
    if behavior == "cancel":
        subscriptions.end(subscription, at=clock.now())
    else:
        before["status"], subscription.data["status"] = "trialing", "paused"
        events.updated(subscription, before, "customer.subscription.updated")
        events.emit("customer.subscription.paused", subscription.data)
    return False


def _roll(subscription: Record) -> tuple[int, int]:
    """Move the items that are at their end into the next period. Returns the period behind us."""
    looks_back = (0, 0)
    for item in subscriptions.items_of(subscription):
        start = item["current_period_end"]
        if start <= clock.now():
            looks_back = (item["current_period_start"], start)
            item["current_period_start"] = start
            item["current_period_end"] = subscriptions.next_period_end(subscription, item, start)
    return looks_back


def _draft(subscription: Record, looks_back: tuple[int, int]) -> Record:
    at, discount = clock.now(), discounts.standing(subscription)
    # While collection is paused (keep_as_draft), or after everything was tried, the invoice stays a draft.
    collects = subscription.data["status"] != "unpaid" and not subscription.data["pause_collection"]
    invoice = invoice_drafts.draft(
        customer=store.get("customer", subscription.customer),
        subscription=subscription,
        lines=proration.pending_lines(subscription) + period_lines.of(subscription, discount),
        discount=discount,
        billing_reason="subscription_cycle",
        at=at,
        period=looks_back,
        auto_advance=collects,
        automatically_finalizes_at=at + DRAFT_FOR if collects else None,
        next_payment_attempt=at + ATTEMPT_AFTER if collects else None,
    )
    proration.billed(subscription, invoice)
    return invoice


def collection_resumes(subscription: Record) -> int | None:
    paused = subscription.data["pause_collection"]
    over = subscription.data["status"] in subscriptions.ENDED
    return paused["resumes_at"] if paused and not over else None


@when_due("subscription", at=collection_resumes, rank=0)  # before a renewal at the same moment
def resume_collection(subscription: Record) -> None:
    """The pause is over: what is invoiced from now on is collected again; its drafts stay drafts."""
    before = copy.deepcopy(subscription.data)
    subscription.data["pause_collection"] = None
    events.updated(subscription, before, "customer.subscription.updated")


def finalizes_at(invoice: Record) -> int | None:
    waits = invoice.data["status"] == "draft" and invoice.data["auto_advance"]
    return invoice.data["automatically_finalizes_at"] if waits else None


@when_due("invoice", at=finalizes_at)
def finalize(invoice: Record) -> None:
    """The draft hour is over."""
    invoices.finalize(invoice, customer=store.get("customer", invoice.customer), at=clock.now())
    dunning.attempt(invoice)


def trial_end_told(subscription: Record) -> int | None:
    end = subscription.data["trial_end"]
    if subscription.data["status"] != "trialing" or subscription.hidden.get("trial_end_told") == end:
        return None
    return int(end) - TRIAL_END_TOLD


@when_due("subscription", at=trial_end_told, rank=2)
def tell_trial_end(subscription: Record) -> None:
    """Three days before a trial ends, or at once when it is shorter."""
    subscription.hidden["trial_end_told"] = subscription.data["trial_end"]
    store.save(subscription)
    events.emit("customer.subscription.trial_will_end", subscription.data)
