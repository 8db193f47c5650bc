"""Invoices: finalized with a number, paid by a payment intent or by being zero. Drafts come from `invoice_drafts`."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings

from billing.emulator import balance, clock, customers, events, paging, payment_methods, payments, store
from billing.emulator.errors import StripeError
from billing.emulator.routing import endpoint

if TYPE_CHECKING:
    from billing.emulator.models import Record
    from billing.emulator.wire import Call


def finalize(invoice: Record, *, customer: Record, at: int, use_balance: bool = True) -> None:
    """Give it its number, use the customer's balance on it, and make it payable."""
    if use_balance:
        balance.apply(invoice, customer)
    number = customers.next_invoice_number(customer)
    store.save(customer)
    url = f"{settings.LOCAL_STRIPE['URL']}/i/{invoice.stripe_id}"
    invoice.data |= {
        "status": "open",
        "number": number,
        "effective_at": at,
        "hosted_invoice_url": url,
    }
    invoice.data["status_transitions"]["finalized_at"] = at
    store.save(invoice)
    events.emit("invoice.finalized", invoice.data)


class Attempt(NamedTuple):
    """What came of asking a card: the invoice is paid, or `decline` says why not, or the intent waits for 3DS."""

    intent: Record
    decline: str = ""

    @property
    def needs_authentication(self) -> bool:
        return bool(self.intent.data["status"] == "requires_action")


def collect(
    invoice: Record, method: Record, *, at: int, authenticated: bool = False, automatic: bool = False
) -> Attempt:
    """Take what an open invoice asks from this card: the one way in which an open invoice is paid.

    `authenticated` says that the holder has just passed 3DS, `automatic` that nobody asked for this but the calendar.
    """
    intent = intent_of(invoice) or payments.new_intent(
        amount=invoice.data["amount_due"],
        currency=invoice.data["currency"],
        customer=invoice.customer,
        parent=invoice.stripe_id,
    )
    decline = payments.confirm(intent, method, authenticated=authenticated)
    if intent.data["status"] == "succeeded":
        settle(invoice, intent=intent, at=at)
        return Attempt(intent)
    before = copy.deepcopy(invoice.data)
    count = invoice.data["attempt_count"]
    counts = bool(decline) and (automatic or count == 0)  # after the first, only automatic ones count
    invoice.data |= {"attempted": True, "attempt_count": count + counts}
    events.updated(invoice, before)
    if decline:
        events.emit("invoice.payment_failed", invoice.data)
    return Attempt(intent, decline)


def intent_of(invoice: Record) -> Record | None:
    """The intent of earlier tries to pay this invoice, if one still waits."""
    tried = store.of("payment_intent", parent=invoice.stripe_id).exclude(data__status__in=["canceled", "succeeded"])
    return tried.order_by("-id").first()


def settle(invoice: Record, *, intent: Record | None, at: int) -> None:
    """It is paid: by this succeeded intent, or without one because nothing is due."""
    due = invoice.data["amount_due"]
    invoice.data |= {
        "status": "paid",
        "attempted": True,
        "attempt_count": max(invoice.data["attempt_count"], 1) if intent else 0,
        "amount_paid": due,
        "amount_remaining": 0,
        "ending_balance": invoice.data["ending_balance"] or 0,
        "next_payment_attempt": None,
    }
    invoice.data["status_transitions"]["paid_at"] = at
    store.save(invoice)
    payment = _payment(invoice, intent, at) if intent else None
    events.emit("invoice.paid", invoice.data)
    events.emit("invoice.payment_succeeded", invoice.data)
    if payment:
        events.emit("invoice_payment.paid", payment.data)


def _payment(invoice: Record, intent: Record, at: int) -> Record:
    due = invoice.data["amount_due"]
    return store.create(
        "invoice_payment",
        {
            "amount_paid": due,
            "amount_requested": due,
            "currency": invoice.data["currency"],
            "invoice": invoice.stripe_id,
            "is_default": True,
            "payment": {"type": "payment_intent", "payment_intent": intent.stripe_id},
            "status": "paid",
            "status_transitions": {"canceled_at": None, "paid_at": at},
        },
        parent=invoice.stripe_id,
        key=intent.stripe_id,
    )


@endpoint("GET /v1/invoices/{id}")
def retrieve(call: Call) -> Record:
    return store.get("invoice", call.id)


@endpoint("GET /v1/invoices")
def index(call: Call) -> dict[str, Any]:
    filters = {"customer": "customer", "status": "data__status", "subscription": "parent"}
    return paging.page(call, store.of("invoice"), filters)


@endpoint("POST /v1/invoices/{id}/void")
def void(call: Call) -> Record:
    invoice = store.get("invoice", call.id)
    if invoice.data["status"] not in {"open", "uncollectible"}:
        raise StripeError(
            f"You can only pass in open or uncollectible invoices. This invoice is currently {invoice.data['status']}.",
        )
    invoice.data["status"] = "void"
    invoice.data["status_transitions"]["voided_at"] = clock.now()
    store.save(invoice)
    events.emit("invoice.voided", invoice.data)
    if waiting := intent_of(invoice):
        payments.cancel(waiting, at=clock.now(), reason="void_invoice")
    balance.give_back(invoice)
    return invoice


@endpoint("POST /v1/invoices/{id}/pay")
def pay(call: Call) -> Record:
    call.supports("payment_method", "off_session")
    invoice = store.get("invoice", call.id)
    if invoice.data["status"] == "paid":
        raise StripeError("Invoice is already paid", code="invoice_already_paid")
    if invoice.data["status"] != "open":
        raise StripeError(f"This invoice can't be paid: it is {invoice.data['status']}.", code="invoice_not_open")
    method = method_for(invoice, call.params.get("payment_method"))
    attempt = collect(invoice, method, at=clock.now())
    if invoice.data["status"] == "paid":
        return invoice
    if attempt.decline:
        raise payment_methods.declined(attempt.decline, payment_intent=attempt.intent.data)
    raise StripeError(
        "This payment requires additional user action before it can be completed successfully.",
        code="invoice_payment_intent_requires_action",
        keeps=True,
    )


def method_for(invoice: Record, asked: str | None) -> Record:
    """The card asked for, else the subscription's, else the customer's default."""
    if asked:
        return payment_methods.of_customer(asked, invoice.customer, param="payment_method")
    subscription, customer = store.find(invoice.parent), store.find(invoice.customer)
    default = (subscription and subscription.data["default_payment_method"]) or (
        customer and customer.data["invoice_settings"]["default_payment_method"]
    )
    if not default:
        raise StripeError(
            "There is no `default_payment_method` set on this Customer or Invoice. Please set one and try again.",
            code="resource_missing",
        )
    return store.get("payment_method", default)


@endpoint("GET /v1/invoice_payments/{id}")
def retrieve_payment(call: Call) -> Record:
    return store.get("invoice_payment", call.id)


@endpoint("GET /v1/invoice_payments")
def list_payments(call: Call) -> dict[str, Any]:
    found = store.of("invoice_payment")
    if payment := call.params.get("payment"):
        found = found.filter(key=payment.get("payment_intent", ""))
    return paging.page(call, found, {"invoice": "parent", "status": "data__status"}, handled=("payment",))


@endpoint("GET /v1/invoices/{id}/lines")
def list_lines(call: Call) -> dict[str, Any]:
    call.supports("limit")
    lines: dict[str, Any] = store.get("invoice", call.id).data["lines"]
    return lines
