"""Invoices: finalized with a number, paid by a payment intent or by being zero. Drafts come from `invoice_drafts`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings

from billing.emulator import balance, clock, customers, events, paging, payment_methods, payments, store, subscriptions
from billing.emulator.errors import StripeError
from billing.emulator.routing import endpoint

if TYPE_CHECKING:
    from billing.emulator.models import Record
    from billing.emulator.wire import Call


Told = Callable[["Record", "Record"], None]
_paid_told: list[Told] = []
_voided_told: list[Told] = []


def when_paid(told: Told) -> Told:
    """@when_paid: called with the subscription of an invoice that was paid, and the invoice."""
    _paid_told.append(told)
    return told


def when_voided(told: Told) -> Told:
    """@when_voided: the same for one that was voided."""
    _voided_told.append(told)
    return told


def _tell(whom: list[Told], invoice: Record) -> None:
    for told in whom:
        if subscription := store.find(invoice.parent):
            told(subscription, invoice)


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
        "automatically_finalizes_at": None,
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
    invoice: Record,
    method: Record,
    *,
    at: int,
    authenticated: bool = False,
    automatic: bool = False,
    next_attempt: int | None = None,
) -> Attempt:
    """Take what an open invoice asks from this card: the one way in which an open invoice is paid.

    `authenticated` says that the holder has just passed 3DS, `automatic` that nobody asked for this but the calendar,
    which tries again at `next_attempt`.
    """
    intent = expect_payment(invoice)
    decline = payments.confirm(intent, method, authenticated=authenticated, off_session=automatic)
    if automatic:
        invoice.data |= {"attempt_count": invoice.data["attempt_count"] + 1, "next_payment_attempt": next_attempt}
    if intent.data["status"] == "succeeded":
        settle(invoice, intent=intent, at=at)
        return Attempt(intent)
    if decline and not automatic:  # after the first, only automatic ones count
        invoice.data["attempt_count"] = max(invoice.data["attempt_count"], 1)
    not_paid(invoice, tells=bool(decline) or automatic, action=not decline)
    return Attempt(intent, decline)


def expect_payment(invoice: Record) -> Record:
    """The intent by which the buyer's own client will pay this open invoice."""
    return intent_of(invoice) or _new_intent(invoice)


def not_paid(invoice: Record, *, tells: bool, action: bool = False) -> None:
    """An attempt came to nothing: `tells` of a failure, or of an `action` that is needed, or of both."""
    before = store.get("invoice", invoice.stripe_id).data  # as it was written last
    invoice.data["attempted"] = True
    store.save(invoice)
    if tells:
        events.emit("invoice.payment_failed", invoice.data)
    if action:
        events.emit("invoice.payment_action_required", invoice.data)
    events.updated(invoice, before)


def intent_of(invoice: Record) -> Record | None:
    """The intent of earlier tries to pay this invoice, if one still waits."""
    tried = store.of("payment_intent", parent=invoice.stripe_id).exclude(data__status__in=["canceled", "succeeded"])
    return tried.order_by("-id").first()


def _new_intent(invoice: Record) -> Record:
    intent = payments.new_intent(
        amount=invoice.data["amount_due"],
        currency=invoice.data["currency"],
        customer=invoice.customer,
        parent=invoice.stripe_id,
    )
    _payment(invoice, intent)
    return intent


def settle(invoice: Record, *, intent: Record | None, at: int) -> None:
    """It is paid: by this succeeded intent, or without one because nothing is due."""
    due = invoice.data["amount_due"]
    invoice.data |= {
        "status": "paid",
        "attempted": True,
        "attempt_count": max(invoice.data["attempt_count"], 1) if intent else 0,
        "auto_advance": False,
        "amount_paid": due,
        "amount_remaining": 0,
        "ending_balance": invoice.data["ending_balance"] or 0,
        "next_payment_attempt": None,
    }
    invoice.data["status_transitions"]["paid_at"] = at
    store.save(invoice)
    payment = _paid(invoice, intent, at) if intent else None
    events.emit("invoice.paid", invoice.data)
    events.emit("invoice.payment_succeeded", invoice.data)
    if payment:
        events.emit("invoice_payment.paid", payment.data)
    customers.set_delinquent(invoice.customer, delinquent=False)
    if subscription := store.find(invoice.parent):
        subscriptions.paid(subscription, invoice)
        _tell(_paid_told, invoice)


def _payment(invoice: Record, intent: Record) -> Record:
    return store.create(
        "invoice_payment",
        {
            "amount_requested": invoice.data["amount_due"],
            "currency": invoice.data["currency"],
            "invoice": invoice.stripe_id,
            "is_default": True,
            "payment": {"type": "payment_intent", "payment_intent": intent.stripe_id},
            "status": "open",
            "status_transitions": {},
        },
        parent=invoice.stripe_id,
        key=intent.stripe_id,
    )


def _payment_by(invoice: Record, intent: Record) -> Record:
    known = store.of("invoice_payment", parent=invoice.stripe_id, key=intent.stripe_id).first()
    return known or _payment(invoice, intent)


def _paid(invoice: Record, intent: Record, at: int) -> Record:
    payment = _payment_by(invoice, intent)
    payment.data |= {"amount_paid": invoice.data["amount_due"], "status": "paid"}
    payment.data["status_transitions"]["paid_at"] = at
    store.save(payment)
    return payment


def _give_up(invoice: Record, intent: Record, at: int) -> None:
    """Nothing is owed any more: the intent that still waits is canceled, and its payment."""
    payment = _payment_by(invoice, intent)
    payment.data["status"] = "canceled"
    payment.data["status_transitions"]["canceled_at"] = at
    store.save(payment)
    payments.cancel(intent, at=at, reason="void_invoice")


@endpoint("GET /v1/invoices/{id}")
def retrieve(call: Call) -> Record:
    return store.get("invoice", call.id)


@endpoint("GET /v1/invoices")
def index(call: Call) -> dict[str, Any]:
    filters = {"customer": "customer", "status": "data__status", "subscription": "parent"}
    return paging.page(call, store.of("invoice"), filters)


@endpoint("POST /v1/invoices/{id}/void")
def void_endpoint(call: Call) -> Record:
    invoice = store.get("invoice", call.id)
    if invoice.data["status"] not in {"open", "uncollectible"}:
        raise StripeError(
            f"You can only pass in open or uncollectible invoices. This invoice is currently {invoice.data['status']}.",
        )
    void(invoice, at=clock.now())
    return invoice


def void(invoice: Record, *, at: int) -> None:
    """Nobody owes it any more."""
    invoice.data |= {"status": "void", "auto_advance": False, "next_payment_attempt": None}
    invoice.data["status_transitions"]["voided_at"] = at
    store.save(invoice)
    events.emit("invoice.voided", invoice.data)
    if waiting := intent_of(invoice):
        _give_up(invoice, waiting, at)
    balance.give_back(invoice)
    _tell(_voided_told, invoice)


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
    """The card asked for, else the one that is asked by itself. Raises resource_missing when there is none."""
    if asked:
        return payment_methods.of_customer(asked, invoice.customer, param="payment_method")
    method = method_of(invoice)
    if method is None:
        raise StripeError(
            "There is no `default_payment_method` set on this Customer or Invoice. Please set one and try again.",
            code="resource_missing",
        )
    return method


def method_of(invoice: Record) -> Record | None:
    """The card that is asked by itself: the invoice's own, else the subscription's, else the customer's default."""
    own = payment_methods.usable(invoice.data["default_payment_method"], invoice.customer)
    return own or subscriptions.method_of(store.find(invoice.parent) or invoice)


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
