"""Draft invoices and their lines: what is owed for a subscription's period, before anybody is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from billing.emulator import account, paging, shapes, store

if TYPE_CHECKING:
    from billing.emulator.models import Record


def draft(
    *,
    customer: Record,
    subscription: Record,
    lines: list[dict[str, Any]],
    discount: Record | None,
    billing_reason: str,
    at: int,
    period: tuple[int, int] | None = None,
    **more: Any,
) -> Record:
    """A draft over these lines (see `line`), not yet announced. `period` is the one it looks back on, `at` if none."""
    start, end = period or (at, at)
    stripe_id = store.new_id("invoice")
    for one in lines:
        one["invoice"] = stripe_id
    data = {
        "id": stripe_id,
        "auto_advance": False,
        "attempt_count": 0,
        "billing_reason": billing_reason,
        "collection_method": "charge_automatically",
        "created": at,
        "currency": subscription.data["currency"],
        "issuer": {"type": "self"},
        "lines": paging.whole(lines, f"/v1/invoices/{stripe_id}/lines"),
        "parent": _parent(subscription),
        "period_end": end,
        "period_start": start,
        "status": "draft",
        **more,
    }
    parts = _seller() | _buyer(customer) | _amounts(lines, discount)
    return store.create("invoice", data | parts, parent=subscription.stripe_id)


def _amounts(lines: list[dict[str, Any]], discount: Record | None) -> dict[str, Any]:
    subtotal = sum(one["subtotal"] for one in lines)
    off = sum(amount["amount"] for one in lines for amount in one["discount_amounts"])
    total, taken = subtotal - off, _taken(off, discount)
    zeros = ("overpaid", "paid", "shipping")
    return {
        **{f"amount_{name}": 0 for name in zeros},
        "amount_due": total,
        "amount_remaining": total,
        "discounts": [discount.stripe_id] if discount else [],
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "starting_balance": 0,
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal,
        "total": total,
        "total_discount_amounts": taken,
        "total_excluding_tax": total,
        "total_pretax_credit_amounts": _as_credit(taken),
        "total_taxes": [],
    }


def _taken(off: int, discount: Record | None) -> list[dict[str, Any]]:
    return [{"amount": off, "discount": discount.stripe_id}] if discount else []


def _as_credit(taken: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A discount is also one of the credits before tax."""
    return [one | {"type": "discount"} for one in taken]


def _parent(subscription: Record) -> dict[str, Any]:
    details = {"metadata": dict(subscription.data["metadata"]), "subscription": subscription.stripe_id}
    return {"type": "subscription_details", "subscription_details": details}


def _seller() -> dict[str, Any]:
    seller = account.the_account().data
    return {"account_country": seller["country"], "account_name": seller["business_profile"]["name"]}


def _buyer(customer: Record) -> dict[str, Any]:
    fields = ("address", "email", "name", "phone", "shipping", "tax_exempt")
    shown = {f"customer_{field}": customer.data[field] for field in fields}
    return {"customer": customer.stripe_id, "customer_tax_ids": [], **shown}


def line(
    *,
    item: dict[str, Any],
    amount: int,
    off: int,
    discount: Record | None,
    description: str,
    period: tuple[int, int],
) -> dict[str, Any]:
    """One line over a subscription's item; `amount` before the discount, `off` what it takes away."""
    price, taken = item["price"], _taken(off, discount if off else None)
    data = {
        "id": store.new_id("line_item"),
        "amount": amount,
        "currency": price["currency"],
        "description": description,
        "discount_amounts": taken,
        "discountable": True,
        "discounts": [one["discount"] for one in taken],
        "parent": _line_parent(item),
        "period": {"start": period[0], "end": period[1]},
        "pretax_credit_amounts": _as_credit(taken),
        "pricing": {
            "price_details": {"price": price["id"], "product": price["product"]},
            "type": "price_details",
            "unit_amount_decimal": price["unit_amount_decimal"],
        },
        "quantity": item["quantity"],
        "quantity_decimal": str(item["quantity"]),
        "subscription": item["subscription"],
        "subtotal": amount,
        "taxes": [],
    }
    return shapes.complete("line_item", data)


def _line_parent(item: dict[str, Any]) -> dict[str, Any]:
    details = {
        "proration": False,
        "proration_details": {"credited_items": None},
        "subscription": item["subscription"],
        "subscription_item": item["id"],
    }
    return {"type": "subscription_item_details", "subscription_item_details": details}
