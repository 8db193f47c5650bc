"""Subscriptions made through the API: the first invoice at once, and what becomes of one that is not paid."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from billing.emulator import (
    clock,
    discounts,
    events,
    invoice_drafts,
    invoices,
    payment_methods,
    period_lines,
    renewals,
    store,
    subscription_changes,
    subscriptions,
    test_clocks,
)
from billing.emulator.errors import StripeError, required, unsupported
from billing.emulator.routing import endpoint
from billing.emulator.timeline import when_due

if TYPE_CHECKING:
    from billing.emulator.models import Record
    from billing.emulator.wire import Call

DAY, HOUR = 86_400, 3600
EXPIRES_AFTER = 23 * HOUR
ERROR, INCOMPLETE, BY_CLIENT = "error_if_incomplete", "allow_incomplete", "default_incomplete"


@endpoint("POST /v1/subscriptions")
def create(call: Call) -> Record:
    call.supports(
        "customer", "items", "metadata", "description", "default_payment_method", "payment_behavior", "off_session",
        "trial_period_days", "trial_end", "trial_settings", "discounts", "cancel_at_period_end", "cancel_at",
        "collection_method", "proration_behavior",
    )  # fmt: skip
    params = call.params
    customer = store.get("customer", _given(params, "customer"), param="customer")
    _check(params, customer)
    items = _items(params, customer)
    coupon, code = _coupon(params, customer, items)
    record = subscriptions.new(_order(params, customer, items))
    _arrange(record, params)
    _pin_currency(customer, record.data["currency"])
    discount = coupon and discounts.given(record, coupon, code)
    _start(record, customer, discount, params)
    if coupon is not None:
        discounts.redeem(coupon, code)
    store.save(record)
    events.emit("customer.subscription.created", record.data)
    if record.data["trial_end"] and record.data["trial_end"] - clock.now() <= renewals.TRIAL_END_TOLD:
        renewals.tell_trial_end(record)
    return record


def _given(params: dict[str, Any], name: str) -> Any:
    if not params.get(name):
        raise required(name)
    return params[name]


def _check(params: dict[str, Any], customer: Record) -> None:
    behavior = params.get("payment_behavior", INCOMPLETE)
    if behavior not in {ERROR, INCOMPLETE, BY_CLIENT}:
        raise StripeError(
            f"payment_behavior={behavior} cannot be used to create a subscription.", param="payment_behavior"
        )
    if params.get("collection_method", "charge_automatically") != "charge_automatically":
        raise unsupported("collection_method=send_invoice")
    if {"trial_end", "trial_period_days"} <= set(params):
        raise StripeError("You may only specify one of these parameters: trial_end, trial_period_days.")
    if isinstance(params.get("trial_end"), int) and params["trial_end"] <= clock.now():
        raise StripeError("Invalid timestamp: must be an integer Unix timestamp in the future.", param="trial_end")
    test_clocks.check_subscription(customer)


def _items(params: dict[str, Any], customer: Record) -> list[tuple[dict[str, Any], int]]:
    """Price data and quantity of each item. Raises on a price that cannot be subscribed to."""
    made = []
    for at, item in enumerate(_given(params, "items")):
        if beyond := sorted(set(item) - {"price", "quantity"}):
            raise unsupported(f"items[{at}][{beyond[0]}]")
        price = store.get("price", item.get("price", ""), param=f"items[{at}][price]").data
        if not price["active"] or price["recurring"] is None:
            raise StripeError("The price specified must be active and recurring.", param=f"items[{at}][price]")
        made.append((copy.deepcopy(price), item.get("quantity", 1)))
    currencies = {price["currency"] for price, _ in made} | {customer.data["currency"] or made[0][0]["currency"]}
    if len(currencies) > 1:
        raise StripeError("You cannot combine currencies on a single customer.", param="items")
    if len({(price["recurring"]["interval"], price["recurring"]["interval_count"]) for price, _ in made}) > 1:
        raise unsupported("items with different intervals")
    return made


def _coupon(
    params: dict[str, Any], customer: Record, items: list[tuple[dict[str, Any], int]]
) -> tuple[Record | None, Record | None]:
    """The coupon to be used, and the promotion code it was named by."""
    asked = params.get("discounts") or []
    if not asked:
        return None, None
    if len(asked) > 1 or not {"coupon", "promotion_code"} & set(asked[0]):
        raise unsupported("discounts but by one coupon or promotion code")
    currency, amount = items[0][0]["currency"], sum(price["unit_amount"] * many for price, many in items)
    try:
        if name := asked[0].get("promotion_code"):
            code = store.get("promotion_code", name, param="discounts[0][promotion_code]")
            return discounts.check_code(code, customer=customer.stripe_id, currency=currency, amount=amount), code
        coupon = store.get("coupon", asked[0]["coupon"], param="discounts[0][coupon]")
        discounts.check_coupon(coupon, currency=currency)
    except discounts.NotApplicable as error:
        raise StripeError(
            f"This discount cannot be used here: {error.reason}.", param="discounts", code="coupon_expired"
        ) from None
    return coupon, None


def _order(params: dict[str, Any], customer: Record, items: list[tuple[dict[str, Any], int]]) -> subscriptions.Order:
    at, days, end = clock.now(), params.get("trial_period_days"), params.get("trial_end")
    method = params.get("default_payment_method")
    if method:
        payment_methods.of_customer(method, customer.stripe_id, param="default_payment_method")
    return subscriptions.Order(
        customer=customer.stripe_id,
        items=items,
        payment_method=method or None,
        metadata=store.merge_metadata({}, params.get("metadata")),
        trial_end=at + days * DAY if days else end if isinstance(end, int) else None,
        description=params.get("description") or None,
        at=at,
    )


def _arrange(record: Record, params: dict[str, Any]) -> None:
    if behavior := params.get("trial_settings", {}).get("end_behavior"):
        record.data["trial_settings"] = {"end_behavior": behavior}
    subscriptions.schedule_end(record, params)


def _pin_currency(customer: Record, currency: str) -> None:
    if customer.data["currency"] is None:
        before = copy.deepcopy(customer.data)
        customer.data["currency"] = currency
        events.updated(customer, before)


def _start(record: Record, customer: Record, discount: Record | None, params: dict[str, Any]) -> None:
    """The first invoice: nothing during a trial, else asked for now; what is not paid leaves it incomplete."""
    at, trial = clock.now(), record.data["trial_end"] is not None
    invoice = invoice_drafts.draft(
        customer=customer,
        subscription=record,
        lines=period_lines.of(record, discount, trial=trial),
        discount=discount,
        billing_reason="subscription_create",
        at=at,
    )
    events.emit("invoice.created", invoice.data)
    invoices.finalize(invoice, customer=customer, at=at)
    _collect(invoice, params)
    if invoice.data["status"] != "paid":
        record.data["status"] = "incomplete"
    if discount is not None and discounts.lasts(discount):
        record.data["discounts"] = [discount.stripe_id]
    record.data["latest_invoice"] = invoice.stripe_id


def _collect(invoice: Record, params: dict[str, Any]) -> None:
    behavior = params.get("payment_behavior", INCOMPLETE)
    if invoice.data["amount_due"] == 0:
        invoices.settle(invoice, intent=None, at=clock.now())
    elif behavior == BY_CLIENT:
        invoices.expect_payment(invoice)
    else:
        attempt = invoices.collect(invoice, _method(invoice), at=clock.now())
        if invoice.data["status"] != "paid" and behavior == ERROR:
            raise subscription_changes.refusal(attempt.decline)


def _method(invoice: Record) -> Record:
    method = invoices.method_of(invoice)
    if method is None:
        raise StripeError(
            "This customer has no attached payment source or default payment method. Please consider adding a default "
            "payment method.",
            code="resource_missing",
        )
    return method


def expires_at(record: Record) -> int | None:
    return int(record.data["created"]) + EXPIRES_AFTER if record.data["status"] == "incomplete" else None


@when_due("subscription", at=expires_at, rank=3)
def expire(record: Record) -> None:
    """Nobody paid the first invoice: it is voided, and the subscription never was."""
    before = copy.deepcopy(record.data)
    record.data |= {"status": "incomplete_expired", "ended_at": clock.now()}
    invoices.void(store.get("invoice", record.data["latest_invoice"]), at=clock.now())
    events.updated(record, before, "customer.subscription.updated")
