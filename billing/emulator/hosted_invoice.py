"""Paying an open invoice on its hosted page. Every verb locks the invoice first, so that two tabs pay once.

The card that pays a subscription's invoice here becomes the subscription's own: later payments are taken from it.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from django.db import transaction

from billing.emulator import clock, events, invoices, payment_methods, payments, store, test_clocks, timeline
from billing.emulator.models import Record
from billing.emulator.routers import ALIAS

if TYPE_CHECKING:
    from collections.abc import Callable

    from billing.emulator.payment_methods import TypedCard

KIND = "invoice"


class Outcome(Enum):
    PAID = "paid"  # also when another tab, or the calendar, was faster
    AUTHENTICATE = "authenticate"
    DECLINED = "declined"
    CLOSED = "closed"  # void, or given up


@dataclass(frozen=True)
class Result:
    outcome: Outcome
    invoice: Record
    intent: Record | None = None
    decline: str = ""


def pay(invoice_id: str, entry: TypedCard) -> Result:
    """Pay an open invoice with the card that was typed."""

    def work(invoice: Record) -> Result:
        method = payment_methods.typed(entry, email=invoice.data["customer_email"])
        invoice.hidden["method"] = method.stripe_id
        return _after(invoice, method, invoices.collect(invoice, method, at=clock.now()))

    return _locked(invoice_id, work)


def authenticate(invoice_id: str, *, passed: bool) -> Result:
    """The 3DS step is over: the bank is satisfied, or not."""

    def work(invoice: Record) -> Result:
        intent, method = invoices.intent_of(invoice), store.find(invoice.hidden.get("method", ""))
        if intent is None or method is None or intent.data["status"] != "requires_action":
            return Result(Outcome.DECLINED, invoice, decline="authentication_failed")
        if not passed:
            payments.refuse_authentication(intent, method)
            return Result(Outcome.DECLINED, invoice, decline="authentication_failed")
        return _after(invoice, method, invoices.collect(invoice, method, at=clock.now(), authenticated=True))

    return _locked(invoice_id, work)


def _after(invoice: Record, method: Record, attempt: invoices.Attempt) -> Result:
    store.save(invoice)
    if attempt.decline:
        return Result(Outcome.DECLINED, invoice, decline=attempt.decline)
    if attempt.needs_authentication:
        return Result(Outcome.AUTHENTICATE, invoice, attempt.intent)
    _keep(invoice, method)
    return Result(Outcome.PAID, invoice)


def _keep(invoice: Record, method: Record) -> None:
    """The card is the customer's from now on, and the one that the subscription is paid with."""
    payment_methods.keep(method, customer=store.get("customer", invoice.customer))
    subscription = store.find(invoice.parent)
    if subscription is None or subscription.data["status"] == "canceled":
        return
    before = copy.deepcopy(subscription.data)
    subscription.data["default_payment_method"] = method.stripe_id
    events.updated(subscription, before, "customer.subscription.updated")


def _locked(invoice_id: str, work: Callable[[Record], Result]) -> Result:
    timeline.catch_up()
    with transaction.atomic(using=ALIAS):
        invoice = Record.objects.select_for_update().get(kind=KIND, stripe_id=invoice_id)
        if invoice.data["status"] == "paid":
            return Result(Outcome.PAID, invoice)
        if invoice.data["status"] != "open":
            return Result(Outcome.CLOSED, invoice)
        with test_clocks.standing_with(invoice):
            return work(invoice)
