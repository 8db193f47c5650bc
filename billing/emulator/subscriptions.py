"""Subscriptions: what was bought for a period, until when, and how it ends."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from billing.emulator import clock, events, paging, payment_methods, periods, store
from billing.emulator.errors import StripeError, unsupported
from billing.emulator.routing import endpoint
from billing.emulator.timeline import when_due

if TYPE_CHECKING:
    from billing.emulator.models import Record
    from billing.emulator.wire import Call

ENDED = frozenset({"canceled", "incomplete_expired"})


@dataclass(frozen=True)
class Order:
    """What a subscription is made of; `items` are pairs of price data and quantity."""

    customer: str
    items: list[tuple[dict[str, Any], int]]
    payment_method: str | None
    metadata: dict[str, str]
    trial_end: int | None
    description: str | None
    at: int


def new(order: Order) -> Record:
    """An active (or trialing) subscription from `order.at` on, not yet announced."""
    stripe_id, first = store.new_id("subscription"), order.items[0][0]
    anchor = order.trial_end or order.at
    end = order.trial_end or period_end(first, order.at)
    items = [_item(stripe_id, price, quantity, (order.at, end)) for price, quantity in order.items]
    return store.create(
        "subscription",
        {
            "id": stripe_id,
            "billing_cycle_anchor": anchor,
            "billing_mode": {
                "flexible": {"proration_discounts": "included"},
                "type": "flexible",
                "updated_at": None,
            },
            "cancellation_details": {},
            "collection_method": "charge_automatically",
            "created": order.at,
            "currency": first["currency"],
            "customer": order.customer,
            "default_payment_method": order.payment_method,
            "default_tax_rates": [],
            "description": order.description,
            "invoice_settings": {"issuer": {"type": "self"}},
            "items": paging.whole(items, f"/v1/subscription_items?subscription={stripe_id}"),
            "metadata": order.metadata,
            "payment_settings": {"save_default_payment_method": "off"},
            "start_date": order.at,
            "status": "trialing" if order.trial_end else "active",
            "trial_end": order.trial_end,
            "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
            "trial_start": order.at if order.trial_end else None,
        },
    )


def period_end(price: dict[str, Any], start: int) -> int:
    return periods.after(start, price["recurring"]["interval"], price["recurring"]["interval_count"])


def next_period_end(record: Record, item: dict[str, Any], start: int) -> int:
    """When the period that starts now ends: always so many intervals after the anchor."""
    recurring = item["price"]["recurring"]
    anchor = record.data["billing_cycle_anchor"]
    return periods.first_after(start, anchor, recurring["interval"], recurring["interval_count"])


def _item(subscription: str, price: dict[str, Any], quantity: int, period: tuple[int, int]) -> dict[str, Any]:
    return {
        "id": store.new_id("subscription_item"),
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": period[0],
        "current_period_end": period[1],
        "current_period_start": period[0],
        "discounts": [],
        "metadata": {},
        "plan": plan_of(price),
        "price": price,
        "quantity": quantity,
        "subscription": subscription,
        "tax_rates": [],
    }


def plan_of(price: dict[str, Any]) -> dict[str, Any]:
    """The price as the older object that items still carry."""
    same = (
        "active",
        "billing_scheme",
        "created",
        "currency",
        "id",
        "livemode",
        "metadata",
        "nickname",
        "product",
    )
    return {key: price[key] for key in same} | {
        "object": "plan",
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "interval": price["recurring"]["interval"],
        "interval_count": price["recurring"]["interval_count"],
        "meter": None,
        "tiers_mode": None,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }


def method_of(subscription: Record) -> Record | None:
    """The card that pays for a subscription: its own, else the customer's default."""
    customer = store.find(subscription.customer)
    chosen = customer.data["invoice_settings"]["default_payment_method"] if customer else None
    own = payment_methods.usable(subscription.data["default_payment_method"], subscription.customer)
    return own or payment_methods.usable(chosen, subscription.customer)


def items_of(subscription: Record) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = subscription.data["items"]["data"]
    return items


@endpoint("GET /v1/subscriptions/{id}")
def retrieve(call: Call) -> Record:
    return store.get("subscription", call.id)


@endpoint("GET /v1/subscriptions")
def index(call: Call) -> dict[str, Any]:
    found = store.of("subscription")
    status = call.params.get("status")
    if status is None:
        found = found.exclude(data__status__in=list(ENDED))
    elif status == "ended":
        found = found.filter(data__status__in=list(ENDED))
    elif status != "all":
        found = found.filter(data__status=status)
    if "price" in call.params:
        found = found.filter(data__items__data__0__price__id=call.params["price"])
    if "customer" not in call.params:  # those on a test clock only when it is named
        found = found.filter(test_clock=call.params.get("test_clock", ""))
    return paging.page(call, found, {"customer": "customer"}, handled=("status", "price", "test_clock"))


def schedule_end(record: Record, params: dict[str, Any]) -> None:
    """`cancel_at_period_end` or `cancel_at`: an end in the future, or none any more."""
    if {"cancel_at_period_end", "cancel_at"} <= set(params) and params["cancel_at_period_end"] and params["cancel_at"]:
        raise StripeError("You may only specify one of these parameters: cancel_at, cancel_at_period_end.")
    at_period_end, at = params.get("cancel_at_period_end"), params.get("cancel_at")
    if isinstance(at, str) and at:
        raise unsupported(f"cancel_at={at}")
    if at_period_end:
        _set_end(record, items_of(record)[0]["current_period_end"], at_period_end=True)
    elif at:
        if at <= clock.now():
            raise StripeError("cancel_at must be a date in the future.", param="cancel_at")
        _set_end(record, at, at_period_end=False)
    elif at_period_end is False or at == "":
        record.data |= {"cancel_at_period_end": False, "cancel_at": None, "canceled_at": None}
        record.data["cancellation_details"] = dict.fromkeys(("comment", "feedback", "reason"))


def _set_end(record: Record, at: int, *, at_period_end: bool) -> None:
    record.data |= {"cancel_at_period_end": at_period_end, "cancel_at": at, "canceled_at": clock.now()}
    record.data["cancellation_details"]["reason"] = "cancellation_requested"


def explain(record: Record, details: Any) -> None:
    for key, value in (details or {}).items():
        record.data["cancellation_details"][key] = value or None


def scheduled_end(record: Record) -> int | None:
    return record.data["cancel_at"] if record.data["status"] not in ENDED else None


@when_due("subscription", at=scheduled_end, rank=0)  # before a renewal at the same moment
def reach_end(record: Record) -> None:
    """The scheduled end has come: no invoice, `canceled_at` stays what it was."""
    end(record, at=clock.now())


def end(record: Record, *, at: int, reason: str | None = None) -> None:
    """It is over. What is still owed stays open, and nobody is asked for it by itself any more; a draft goes on."""
    record.data |= {"status": "canceled", "ended_at": at}
    if reason:
        record.data["canceled_at"] = record.data["canceled_at"] or at
        record.data["cancellation_details"]["reason"] = reason
    store.save(record)
    for invoice in store.of("invoice", parent=record.stripe_id, data__status="open"):
        before = copy.deepcopy(invoice.data)
        invoice.data |= {"auto_advance": False, "next_payment_attempt": None}
        events.updated(invoice, before)
    events.emit("customer.subscription.deleted", record.data)


def paid(record: Record, invoice: Record) -> None:
    """The latest invoice is paid, whoever did it: what waited for money is active again."""
    waiting = record.data["status"] in {"incomplete", "past_due", "unpaid"}
    if waiting and record.data["latest_invoice"] == invoice.stripe_id:
        before = copy.deepcopy(record.data)
        record.data["status"] = "active"
        events.updated(record, before, "customer.subscription.updated")
