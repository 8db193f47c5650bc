"""Proration: what a change inside a period gives back and what it costs, to the second, as pending invoice items.

Each line is floored on its own, so that a credit is rounded away from zero and a debit towards it. Flexible billing
credits what was really debited, discount included: the newest line that paid for the item's present period.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from billing.emulator import discounts, events, invoice_drafts, paging, store
from billing.emulator.routing import endpoint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from billing.emulator.models import Record
    from billing.emulator.wire import Call


@dataclass(frozen=True)
class Debit:
    """What was asked for an item over [start, end), after discounts, and the line that says so."""

    amount: int
    start: int
    end: int
    line: dict[str, Any]

    def unused(self, at: int) -> int:
        """What of it lies after `at`, as a credit: negative, floored."""
        return -self.amount * (self.end - at) // (self.end - self.start)


def change(subscription: Record, *, was: dict[str, Any], now: dict[str, Any], at: int) -> None:
    """Pending items for an item that is replaced at `at`: the old one's unused time, and the new one's to the end."""
    credit(subscription, was, at=at)
    start, end = now["current_period_start"], now["current_period_end"]
    amount = net(subscription, now) * (end - at) // (end - start)
    _pending(subscription, now, amount, f"Remaining time on {_named(now, at)}", (at, end), None)


def credit(subscription: Record, was: dict[str, Any], *, at: int) -> None:
    """A pending item for the unused time of an item; none where nothing was ever debited for it."""
    if debit := debited(subscription, was):
        period = (at, was["current_period_end"])
        _pending(subscription, was, debit.unused(at), f"Unused time on {_named(was, at)}", period, debit)


def net(subscription: Record, item: dict[str, Any]) -> int:
    """A whole period of an item, less the discount that lasts on its subscription."""
    amount = int(item["price"]["unit_amount"] * item["quantity"])
    discount = discounts.standing(subscription)
    coupon = discount and store.find(discount.data["source"]["coupon"])  # one that was deleted goes on where it is used
    return amount - discounts.spread(coupon, [(item["price"]["product"], amount)])[0] if coupon else amount


def debited(subscription: Record, item: dict[str, Any]) -> Debit | None:
    """The newest debit for the item's present period; None before there was one."""
    end = item["current_period_end"]
    for line in _lines(subscription):
        details = line["parent"]["subscription_item_details"]
        ours = details and details["subscription_item"] == item["id"] and line["period"]["end"] == end
        if ours and not details["proration_details"]["credited_items"] and line["amount"] >= 0:
            off = sum(one["amount"] for one in line["discount_amounts"])
            return Debit(line["amount"] - off, line["period"]["start"], end, line)
    return None


def _lines(subscription: Record) -> Iterator[dict[str, Any]]:
    """Every line asked of this subscription that still stands, newest first."""
    for waiting in pending(subscription).order_by("-id"):
        yield waiting.hidden["line"]
    invoices = store.of("invoice", parent=subscription.stripe_id).exclude(data__status="void")
    for invoice in invoices.order_by("-id"):
        yield from reversed(invoice.data["lines"]["data"])


def _named(item: dict[str, Any], at: int) -> str:
    day = datetime.fromtimestamp(at, UTC)
    name = store.get("product", item["price"]["product"]).data["name"]
    many = f"{item['quantity']} × " if item["quantity"] != 1 else ""
    return f"{many}{name} after {day.day} {day:%b %Y}"


def _pending(
    subscription: Record,
    item: dict[str, Any],
    amount: int,
    description: str,
    period: tuple[int, int],
    credited: Debit | None,
) -> None:
    stripe_id = store.new_id("invoiceitem")
    line = invoice_drafts.line(item=item, amount=amount, off=0, discount=None, description=description, period=period)
    given_back: dict[str, Any] | None = None
    if credited:
        given_back = {"invoice": credited.line["invoice"], "invoice_line_items": [credited.line["id"]]}
    line["discountable"] = False
    line["parent"]["subscription_item_details"] |= {
        "invoice_item": stripe_id,
        "proration": True,
        "proration_details": {"credited_items": given_back},
    }
    record = store.create(
        "invoiceitem",
        {
            "id": stripe_id,
            "amount": amount,
            "currency": line["currency"],
            "customer": subscription.customer,
            "date": period[0],
            "description": description,
            "discountable": False,
            "discounts": [],
            "net_amount": amount,
            "parent": _parent(item),
            "period": line["period"],
            "pricing": line["pricing"],
            "proration": True,
            "proration_details": {"credited_items": _credited(given_back), "discount_amounts": []},
            "quantity": item["quantity"],
            "quantity_decimal": str(item["quantity"]),
            "tax_rates": [],
        },
        parent=subscription.stripe_id,
        hidden={"line": line},
    )
    events.emit("invoiceitem.created", record.data)


def _parent(item: dict[str, Any]) -> dict[str, Any]:
    details = {"subscription": item["subscription"], "subscription_item": item["id"]}
    return {"type": "subscription_details", "subscription_details": details}


def _credited(given_back: dict[str, Any] | None) -> dict[str, Any] | None:
    if given_back is None:
        return None
    return {"type": "invoice_line_items", "invoice_item": None, "invoice_line_item_details": given_back}


def pending(subscription: Record) -> Any:
    """What waits for this subscription's next invoice."""
    return store.of("invoiceitem", parent=subscription.stripe_id, data__invoice=None)


def pending_lines(subscription: Record) -> list[dict[str, Any]]:
    """The lines that the next invoice must carry, in their order. See `billed`."""
    return [waiting.hidden["line"] for waiting in pending(subscription).order_by("id")]


def billed(subscription: Record, invoice: Record) -> None:
    """What waited stands on this invoice now."""
    for waiting in pending(subscription):
        waiting.data["invoice"] = invoice.stripe_id
        store.save(waiting)


@endpoint("GET /v1/invoiceitems")
def index(call: Call) -> dict[str, Any]:
    found = store.of("invoiceitem")
    if "pending" in call.params:
        found = found.filter(data__invoice=None) if call.params["pending"] else found.exclude(data__invoice=None)
    return paging.page(call, found, {"customer": "customer", "invoice": "data__invoice"}, handled=("pending",))
