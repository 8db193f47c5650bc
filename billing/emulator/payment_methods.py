"""Payment methods: cards, made from a test token or typed on a hosted page, attached to customers."""

from __future__ import annotations

import copy
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from billing.emulator import cards, clock, events, paging, store
from billing.emulator.errors import StripeError
from billing.emulator.routing import endpoint

if TYPE_CHECKING:
    from billing.emulator.cards import Card
    from billing.emulator.models import Record
    from billing.emulator.wire import Call

SECONDS_A_YEAR = 31_556_952


@dataclass(frozen=True)
class TypedCard:
    """A card as somebody typed it on a hosted page; `expiry` is (month, year)."""

    card: Card
    expiry: tuple[int, int]
    name: str


def typed(entry: TypedCard, *, email: str | None = None) -> Record:
    """A typed card as a payment method, belonging to nobody yet."""
    billing: dict[str, Any] = {"address": {}, "email": email or None, "name": entry.name or None, "phone": None}
    return new(entry.card, expiry=entry.expiry, billing=billing)


def new(card: Card, *, expiry: tuple[int, int] | None = None, billing: dict[str, Any] | None = None) -> Record:
    """A card as a payment method, belonging to nobody yet. `expiry` is (month, year)."""
    month, year = expiry or (12, 1970 + clock.now() // SECONDS_A_YEAR + 2)
    return store.create(
        "payment_method",
        {
            "allow_redisplay": "unspecified",
            "billing_details": {"address": {}} | (billing or {}),
            "card": {
                "brand": card.brand,
                "checks": {"cvc_check": "pass"},
                "country": "US",
                "display_brand": card.brand,
                "exp_month": month,
                "exp_year": year,
                "fingerprint": hashlib.sha256(card.number.encode()).hexdigest()[:16],
                "funding": "credit",
                "last4": card.last4,
                "networks": {"available": [card.brand], "preferred": None},
                "regulated_status": "unregulated",
                "three_d_secure_usage": {"supported": True},
            },
            "type": "card",
        },
        hidden={"number": card.number, "set_up": card.number == "4000003800000446"},
    )


def from_token(token: str, *, param: str | None = None) -> Record:
    """A payment method by id; a pm_card_* token makes a new one, as in Stripe's test mode."""
    card = cards.BY_TOKEN.get(token)
    return new(card) if card else store.get("payment_method", token, param=param)


def turn_into(payment_method: Record, number: str) -> None:
    """From now on the card behaves as the test card of this number: lost, expired, asking for 3DS, good again.

    What life does to a card and Stripe's test mode cannot: most failing test cards cannot be attached at all.
    """
    payment_method.hidden |= {"number": number, "set_up": False}
    store.save(payment_method)


def card_of(payment_method: Record) -> Card:
    return cards.BY_NUMBER[payment_method.hidden["number"]]


def of_customer(stripe_id: str, customer: str, *, param: str | None = None) -> Record:
    """A payment method of this very customer. Raises resource_missing."""
    record = store.get("payment_method", stripe_id, param=param)
    if record.customer != customer:
        raise StripeError(
            f"No such PaymentMethod: '{stripe_id}'; it does not belong to this customer.",
            status=400 if param else 404,
            code="resource_missing",
            param=param,
        )
    return record


def usable(stripe_id: str | None, customer: str) -> Record | None:
    """The card, unless it was detached meanwhile."""
    method = store.find(stripe_id) if stripe_id else None
    return method if method and method.customer == customer else None


def attach(payment_method: Record, *, customer: Record) -> Record:
    """Give a payment method to a customer. Raises 402 for a card that its bank refuses to set up."""
    if payment_method.customer not in ("", customer.stripe_id):
        raise StripeError("The payment method you provided has already been attached to a customer.")
    card = card_of(payment_method)
    if not card.attaches:
        raise declined(card.decline)
    if not payment_method.customer:
        payment_method.data["customer"] = customer.stripe_id
        store.save(payment_method)
        events.emit("payment_method.attached", payment_method.data)
    return payment_method


def keep(payment_method: Record, *, customer: Record) -> None:
    """Attach a card that has just paid or been set up, and remember that it needs no 3DS off session."""
    payment_method.hidden["set_up"] = True
    payment_method.data["customer"] = customer.stripe_id
    store.save(payment_method)
    events.emit("payment_method.attached", payment_method.data)


def declined(decline: str, **more: Any) -> StripeError:
    """The bank said no: 402 with a code, and a decline code where Stripe gives one."""
    code, message = cards.DECLINES[decline]
    decline_code = decline if code == "card_declined" else None
    return StripeError(message, status=402, kind="card_error", code=code, decline_code=decline_code, keeps=True, **more)


@endpoint("POST /v1/payment_methods/{id}/attach")
def attach_endpoint(call: Call) -> Record:
    customer = store.get("customer", call.params.get("customer", ""), param="customer")
    return attach(from_token(call.id), customer=customer)


@endpoint("POST /v1/payment_methods/{id}/detach")
def detach(call: Call) -> Record:
    record = store.get("payment_method", call.id)
    if not record.customer:
        raise StripeError("The payment method you provided is not attached to a customer so detachment is impossible.")
    before = copy.deepcopy(record.data)
    customer = store.find(record.customer)
    record.data["customer"] = None
    store.save(record)
    events.emit("payment_method.detached", record.data)
    if customer and customer.data["invoice_settings"]["default_payment_method"] == before["id"]:
        was = copy.deepcopy(customer.data)
        customer.data["invoice_settings"]["default_payment_method"] = None
        events.updated(customer, was)
    return record


@endpoint("GET /v1/payment_methods/{id}")
def retrieve(call: Call) -> Record:
    return store.get("payment_method", call.id)


@endpoint("GET /v1/payment_methods")
def index(call: Call) -> dict[str, Any]:
    return paging.page(call, store.of("payment_method"), {"customer": "customer", "type": "data__type"})
