"""The lines of an invoice for a subscription's period: one for each item, after the discount."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from billing.emulator import discounts, invoice_drafts, money, store, subscriptions

if TYPE_CHECKING:
    from billing.emulator.models import Record


def of(subscription: Record, discount: Record | None, *, trial: bool = False) -> list[dict[str, Any]]:
    """What the current period of every item costs; nothing in a trial."""
    items = subscriptions.items_of(subscription)
    amounts = [0 if trial else item["price"]["unit_amount"] * item["quantity"] for item in items]
    offs = _offs(discount, items, amounts)
    return [
        invoice_drafts.line(
            item=item,
            amount=amount,
            off=off,
            discount=discount,
            description=_description(item, trial=trial),
            period=(item["current_period_start"], item["current_period_end"]),
        )
        for item, amount, off in zip(items, amounts, offs, strict=True)
    ]


def _offs(discount: Record | None, items: list[dict[str, Any]], amounts: list[int]) -> list[int]:
    coupon = discount and store.find(discount.data["source"]["coupon"])
    if coupon is None:
        return [0] * len(items)
    return discounts.spread(coupon, [(i["price"]["product"], amount) for i, amount in zip(items, amounts, strict=True)])


def _description(item: dict[str, Any], *, trial: bool) -> str:
    price = item["price"]
    product = store.find(price["product"])
    what = f"{item['quantity']} × {product.data['name'] if product else price['product']}"
    if trial:
        return f"Free trial for {what}"
    return f"{what} (at {money.text(price['unit_amount'], price['currency'])} / {price['recurring']['interval']})"
