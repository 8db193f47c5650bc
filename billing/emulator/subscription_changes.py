"""Changing a subscription: another price, a moved trial end, collection paused; what it costs, and when.

`apply` does the change and draws the invoice up without asking a card, so that a preview is the same change, taken
back; `update` then collects.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from django.conf import settings

from billing.emulator import (
    clock,
    discounts,
    events,
    invoice_drafts,
    invoices,
    payment_methods,
    pending_updates,
    period_lines,
    periods,
    proration,
    store,
    subscriptions,
)
from billing.emulator.errors import StripeError, unsupported
from billing.emulator.routing import endpoint

if TYPE_CHECKING:
    from billing.emulator.models import Record
    from billing.emulator.wire import Call

DESCRIBING = (
    "cancel_at_period_end", "cancel_at", "metadata", "cancellation_details", "default_payment_method", "description",
)  # fmt: skip
CHANGING = ("items", "proration_behavior", "proration_date", "trial_end", "pause_collection")
STILL_TAKEN = frozenset({"metadata", "cancellation_details", "expand"})  # by a canceled subscription
FAR = 2  # years: no trial ends later


@endpoint("POST /v1/subscriptions/{id}")
def update(call: Call) -> Record:
    call.supports(*DESCRIBING, *CHANGING, "payment_behavior", "off_session")
    record = store.get("subscription", call.id)
    if record.data["status"] in subscriptions.ENDED and set(call.params) - STILL_TAKEN:
        raise StripeError(
            "A canceled subscription can only update its cancellation_details and metadata.",
            code="invalid_canceled_subscription_fields",
        )
    before = copy.deepcopy(record.data)
    invoice = apply(record, call.params)
    if invoice is not None:
        _collect(record, invoice, call.params.get("payment_behavior", "allow_incomplete"), before)
    events.updated(record, before, "customer.subscription.updated")
    return record


def apply(record: Record, params: dict[str, Any]) -> Record | None:
    """Make every change asked for. -> the draft of what must be paid now, None if nothing is invoiced now."""
    _describe(record, params)
    _pause(record, params)
    _move_trial(record, params)
    renewed = _change_items(record, params)
    if not renewed and params.get("proration_behavior") != "always_invoice":
        return None
    return _draft(record, begins_anew=renewed)


def _describe(record: Record, params: dict[str, Any]) -> None:
    record.data["metadata"] = store.merge_metadata(record.data["metadata"], params.get("metadata"))
    if method := params.get("default_payment_method"):
        found = payment_methods.of_customer(method, record.customer, param="default_payment_method")
        record.data["default_payment_method"] = found.stripe_id
    if "description" in params:
        record.data["description"] = params["description"] or None
    subscriptions.schedule_end(record, params)
    subscriptions.explain(record, params.get("cancellation_details"))


def _pause(record: Record, params: dict[str, Any]) -> None:
    """Collection paused or, with an empty value, resumed. Periods go on either way."""
    given = params.get("pause_collection")
    if given == "":
        record.data["pause_collection"] = None
    elif given:
        if (until := given.get("resumes_at")) and until <= clock.now():
            raise StripeError("resumes_at must be in the future.", param="pause_collection[resumes_at]")
        if given["behavior"] != "keep_as_draft":
            raise unsupported(f"pause_collection[behavior]={given['behavior']}")
        record.data["pause_collection"] = {"behavior": given["behavior"], "resumes_at": given.get("resumes_at")}


def _move_trial(record: Record, params: dict[str, Any]) -> None:
    """Free time until `trial_end`: the next payment is then, and the billing anchor with it."""
    end = params.get("trial_end")
    if end is None:
        return
    if end == "now":
        raise unsupported("trial_end=now")
    now = clock.now()
    if params.get("proration_behavior") != "none":
        raise unsupported("trial_end with proration_behavior other than none")
    if end <= now:
        raise StripeError("Invalid timestamp: must be an integer Unix timestamp in the future.", param="trial_end")
    if end > periods.after(_limit_from(record, now), "year", FAR):
        raise StripeError("Invalid timestamp: can be no more than two years in the future.", param="trial_end")
    trial = {"billing_cycle_anchor": end, "status": "trialing", "trial_start": now, "trial_end": end}
    if record.data["status"] == "trialing":
        del trial["trial_start"]
    record.data |= trial
    _new_period(record, now, end)


def _limit_from(record: Record, now: int) -> int:
    """The types say "two years from `billing_cycle_anchor`"; that of a long stay lies years back, so it is settable."""
    literally = settings.LOCAL_STRIPE.get("TRIAL_LIMIT_FROM", "now") == "anchor"
    return int(record.data["billing_cycle_anchor"]) if literally else now


def _new_period(record: Record, start: int, end: int) -> None:
    for item in subscriptions.items_of(record):
        item |= {"current_period_start": start, "current_period_end": end}
    if record.data["cancel_at_period_end"]:
        record.data["cancel_at"] = end


# --- items ------------------------------------------------------------------------------------------------------------


def _change_items(record: Record, params: dict[str, Any]) -> bool:
    """The one item gets another price or quantity. -> whether a new period begins with it."""
    given = params.get("items") or []
    if not given:
        return False
    was, now = copy.deepcopy(subscriptions.items_of(record)[0]), subscriptions.items_of(record)[0]
    _replace(now, _only(given, was), record)
    at = _proration_date(params, was)
    renewed = _interval(was) != _interval(now) and record.data["status"] != "trialing"
    prorates = params.get("proration_behavior") != "none" and record.data["status"] != "trialing"
    if renewed:
        if prorates:
            proration.credit(record, was, at=at)
        start = clock.now()
        record.data["billing_cycle_anchor"] = start
        _new_period(record, start, subscriptions.period_end(now["price"], start))
    elif prorates and (was["price"]["id"], was["quantity"]) != (now["price"]["id"], now["quantity"]):
        proration.change(record, was=was, now=now, at=at)
    return renewed


def _only(given: list[dict[str, Any]], item: dict[str, Any]) -> dict[str, Any]:
    one = given[0]
    if len(given) > 1 or set(one) - {"id", "price", "quantity"} or "id" not in one:
        raise unsupported("changing items but by one item's id, price and quantity")
    if one["id"] != item["id"]:
        raise StripeError(f"No such subscription item: '{one['id']}'", code="resource_missing", param="items[0][id]")
    return one


def _replace(item: dict[str, Any], given: dict[str, Any], record: Record) -> None:
    if "price" in given:
        price = store.get("price", given["price"], param="items[0][price]").data
        if not price["active"]:
            raise StripeError("The price specified is inactive.", param="items[0][price]")
        if price["recurring"] is None or price["currency"] != record.data["currency"]:
            raise StripeError(
                "The price specified must be recurring and in the subscription's currency.", param="items[0][price]"
            )
        item |= {"price": copy.deepcopy(price), "plan": subscriptions.plan_of(price)}
    item["quantity"] = given.get("quantity", item["quantity"])


def _interval(item: dict[str, Any]) -> tuple[str, int]:
    recurring = item["price"]["recurring"]
    return recurring["interval"], recurring["interval_count"]


def _proration_date(params: dict[str, Any], item: dict[str, Any]) -> int:
    at = int(params.get("proration_date", clock.now()))
    if not item["current_period_start"] <= at <= item["current_period_end"]:
        raise StripeError(
            "Cannot specify proration date outside of current subscription period.", param="proration_date"
        )
    return at


# --- the invoice ------------------------------------------------------------------------------------------------------


def _draft(record: Record, *, begins_anew: bool) -> Record | None:
    """What waits, and the whole period that begins now if one does, invoiced; None when there is nothing."""
    discount = discounts.standing(record) if begins_anew else None
    lines = proration.pending_lines(record) + (period_lines.of(record, discount) if begins_anew else [])
    if not lines:
        return None
    customer = store.get("customer", record.customer)
    invoice = invoice_drafts.draft(
        customer=customer,
        subscription=record,
        lines=lines,
        discount=discount,
        billing_reason="subscription_update",
        at=clock.now(),
    )
    proration.billed(record, invoice)
    record.data["latest_invoice"] = invoice.stripe_id
    events.emit("invoice.created", invoice.data)
    invoices.finalize(invoice, customer=customer, at=clock.now())
    return invoice


def _collect(record: Record, invoice: Record, behavior: str, before: dict[str, Any]) -> None:
    """Take the money at once. What happens without it is what `behavior` says."""
    if behavior not in {"allow_incomplete", "error_if_incomplete", "pending_if_incomplete"}:
        raise unsupported(f"payment_behavior={behavior} here")
    if invoice.data["amount_due"] == 0:
        invoices.settle(invoice, intent=None, at=clock.now())
        return
    attempt = invoices.collect(invoice, invoices.method_for(invoice, None), at=clock.now())
    if invoice.data["status"] == "paid":
        return
    if behavior == "error_if_incomplete":
        raise refusal(attempt.decline)
    if behavior == "pending_if_incomplete":
        pending_updates.keep(record, before)
        return
    record.data["status"] = "past_due"


def refusal(decline: str) -> StripeError:
    """No money, no change: all of it is undone."""
    if decline:
        error = payment_methods.declined(decline)
        error.keeps = False
        return error
    return StripeError(
        "This payment requires additional user action before it can be completed successfully.",
        status=402,
        kind="card_error",
        code="subscription_payment_intent_requires_action",
    )


# --- the end, at once ------------------------------------------------------------------------------------------------


@endpoint("DELETE /v1/subscriptions/{id}")
def cancel(call: Call) -> Record:
    call.supports("cancellation_details", "prorate", "invoice_now")
    record = store.get("subscription", call.id)
    if record.data["status"] in subscriptions.ENDED:
        raise StripeError(
            f"No such subscription: '{record.stripe_id}'", status=404, code="resource_missing", param="id"
        )
    if call.params.get("prorate"):
        proration.credit(record, subscriptions.items_of(record)[0], at=clock.now())
    record.data["canceled_at"] = clock.now()
    record.data["cancellation_details"]["reason"] = "cancellation_requested"
    subscriptions.explain(record, call.params.get("cancellation_details"))
    if call.params.get("invoice_now"):
        _last_invoice(record)
    subscriptions.end(record, at=clock.now())
    return record


def _last_invoice(record: Record) -> None:
    """What still waits, invoiced. A credit alone is never paid out: its invoice is marked uncollectible as a draft."""
    lines = proration.pending_lines(record)
    if not lines:
        return
    if sum(line["amount"] for line in lines) > 0:
        raise unsupported("invoice_now when more than a credit waits")
    invoice = invoice_drafts.draft(
        customer=store.get("customer", record.customer),
        subscription=record,
        lines=lines,
        discount=None,
        billing_reason="subscription_update",
        at=clock.now(),
    )
    proration.billed(record, invoice)
    record.data["latest_invoice"] = invoice.stripe_id
    events.emit("invoice.created", invoice.data)
    before = copy.deepcopy(invoice.data)
    invoice.data["status"] = "uncollectible"
    invoice.data["status_transitions"]["marked_uncollectible_at"] = clock.now()
    events.updated(invoice, before)
    events.emit("invoice.marked_uncollectible", invoice.data)
