"""What a paid Checkout Session becomes: customer, card, subscription with its first invoice, and the dozen events.

Stripe promises no order among these events, and real traces show several (reference: `stripe listen` traces of 2023 to
2026); nobody may rely on the one made here.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from billing.emulator import (
    clock,
    customers,
    discounts,
    events,
    invoice_drafts,
    invoices,
    payment_methods,
    period_lines,
    renewals,
    store,
    subscriptions,
)

if TYPE_CHECKING:
    from billing.emulator.models import Record
    from billing.emulator.quote import Quote

DAY = 86_400


def complete(session: Record, due: Quote, *, intent: Record | None, method: Record | None) -> None:
    """Turn the locked, paid session into what was bought."""
    at = clock.now()
    customer = _customer(session)
    if customer is not None:
        _keep_card(session, customer, intent, method)
    if session.data["mode"] == "subscription":
        assert customer is not None
        _subscribe(session, due, customer, intent, method, at)
    elif intent is not None:
        session.data["payment_intent"] = intent.stripe_id
    if due.coupon is not None:
        discounts.redeem(due.coupon, due.code)
    _close(session, due, customer)


def _customer(session: Record) -> Record | None:
    """The session's customer; made now for a subscription, or when the session says always."""
    entry = session.hidden["entry"]
    if session.data["customer"]:
        customer = store.get("customer", session.data["customer"])
        before = copy.deepcopy(customer.data)
        if session.hidden["customer_update"].get("name") == "auto" and entry["name"]:
            customer.data["name"] = entry["name"]
        if customer.data["currency"] is None and session.data["mode"] == "subscription":
            customer.data["currency"] = session.data["currency"]  # pinned by the first invoice
        events.updated(customer, before)
        return customer
    if session.data["mode"] == "payment" and session.data["customer_creation"] != "always":
        return None
    customer = customers.new({"email": entry["email"], "name": entry["name"]})
    session.data["customer"] = customer.stripe_id
    return customer


def _keep_card(session: Record, customer: Record, intent: Record | None, method: Record | None) -> None:
    """A subscription's card is attached for later charges; a single payment's only when asked to be."""
    if intent is None or method is None:
        return
    if intent.data["customer"] is None:
        intent.data["customer"] = customer.stripe_id
        store.save(intent)
        for charge in store.of("charge", parent=intent.stripe_id):
            charge.data["customer"] = customer.stripe_id
            store.save(charge)
    keep = session.data["mode"] == "subscription" or intent.data["setup_future_usage"]
    if keep:
        payment_methods.keep(method, customer=customer)


def _subscribe(
    session: Record, due: Quote, customer: Record, intent: Record | None, method: Record | None, at: int
) -> None:
    given = session.hidden["subscription_data"]
    days = given.get("trial_period_days")
    order = subscriptions.Order(
        customer=customer.stripe_id,
        items=[(line.price, line.item["quantity"]) for line in due.lines],
        payment_method=method.stripe_id if method else None,
        metadata=store.merge_metadata({}, given.get("metadata")),
        trial_end=given.get("trial_end") or (at + days * DAY if days else None),
        description=given.get("description"),
        at=at,
    )
    subscription = subscriptions.new(order)
    discount = due.coupon and discounts.given(subscription, due.coupon, due.code, checkout_session=session.stripe_id)
    invoice = _invoice(subscription, customer, discount, at)
    subscription.data["latest_invoice"] = invoice.stripe_id
    if discount is not None and discounts.lasts(discount):
        subscription.data["discounts"] = [discount.stripe_id]
    store.save(subscription)
    events.emit("customer.subscription.created", subscription.data)
    if order.trial_end and order.trial_end - at <= renewals.TRIAL_END_TOLD:
        renewals.tell_trial_end(subscription)
    events.emit("invoice.created", invoice.data)
    invoices.finalize(invoice, customer=customer, at=at, use_balance=False)  # the page has asked for all of it
    paid_by = intent if intent is not None and intent.kind == "payment_intent" else None
    invoices.settle(invoice, intent=paid_by, at=at)
    session.data |= {"subscription": subscription.stripe_id, "invoice": invoice.stripe_id}


def _invoice(subscription: Record, customer: Record, discount: Record | None, at: int) -> Record:
    return invoice_drafts.draft(
        customer=customer,
        subscription=subscription,
        lines=period_lines.of(subscription, discount, trial=subscription.data["trial_end"] is not None),
        discount=discount,
        billing_reason="subscription_create",
        at=at,
    )


def _close(session: Record, due: Quote, customer: Record | None) -> None:
    entry = session.hidden["entry"]
    email = entry["email"] or (customer.data["email"] if customer else None)
    details: dict[str, Any] = {"address": None, "email": email, "name": entry["name"] or None, "phone": None}
    session.data |= {
        "collected_information": {"shipping_details": None},
        "customer_details": {**details, "tax_exempt": "none", "tax_ids": []},
        "payment_status": "paid" if due.due else "no_payment_required",
        "status": "complete",
        "url": None,
    }
    if (session.data["consent_collection"] or {}).get("terms_of_service") == "required":
        session.data["consent"] = {"promotions": None, "terms_of_service": "accepted"}
    store.save(session)
    events.emit("checkout.session.completed", session.data)
