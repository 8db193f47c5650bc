"""What a Checkout Session costs now: lines, discount, what is due today. One place for API, page and payment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from billing.emulator import discounts, store

if TYPE_CHECKING:
    from billing.emulator.models import Record


@dataclass(frozen=True)
class Line:
    """Amounts in minor units, for the whole quantity; zero during a trial."""

    item: dict[str, Any]  # the session's line item
    amount: int
    off: int

    @property
    def price(self) -> dict[str, Any]:
        price: dict[str, Any] = self.item["price"]
        return price


@dataclass(frozen=True)
class Quote:
    lines: list[Line]
    coupon: Record | None
    code: Record | None

    @property
    def subtotal(self) -> int:
        return sum(line.amount for line in self.lines)

    @property
    def off(self) -> int:
        return sum(line.off for line in self.lines)

    @property
    def due(self) -> int:
        return self.subtotal - self.off


def of(session: Record) -> Quote:
    """The quote of an open session. Raises discounts.NotApplicable when its discount can no longer be used."""
    trial = in_trial(session)
    items = session.hidden["line_items"]
    lines = [Line(item, 0 if trial and item["price"]["recurring"] else full(item), 0) for item in items]
    coupon, code = _coupon(session, sum(map(full, items)))
    if coupon is None:
        return Quote(lines, None, None)
    return Quote(_discounted(lines, coupon), coupon, code)


def full(item: dict[str, Any]) -> int:
    """A line item's price without trial and discount."""
    return int(item["price"]["unit_amount"] * item["quantity"])


def in_trial(session: Record) -> bool:
    given = session.hidden["subscription_data"]
    return bool(given.get("trial_end") or given.get("trial_period_days"))


def _coupon(session: Record, amount: int) -> tuple[Record | None, Record | None]:
    chosen = session.hidden.get("discount")
    if not chosen:
        return None, None
    currency = session.data["currency"]
    if chosen.get("promotion_code"):
        code = store.get("promotion_code", chosen["promotion_code"])
        customer = session.data["customer"] or ""
        return discounts.check_code(code, customer=customer, currency=currency, amount=amount), code
    coupon = store.get("coupon", chosen["coupon"])
    discounts.check_coupon(coupon, currency=currency)
    return coupon, None


def _discounted(lines: list[Line], coupon: Record) -> list[Line]:
    offs = discounts.spread(coupon, [(line.price["product"], line.amount) for line in lines])
    return [Line(line.item, line.amount, off) for line, off in zip(lines, offs, strict=True)]


def show(session: Record, quote: Quote) -> None:
    """Write the quote's amounts onto the session and its line items."""
    for line in quote.lines:
        shown = {
            "amount_discount": line.off,
            "amount_subtotal": line.amount,
            "amount_total": line.amount - line.off,
        }
        line.item.update(shown)
    chosen = session.hidden.get("discount")
    session.data |= {
        "amount_subtotal": quote.subtotal,
        "amount_total": quote.due,
        "discounts": [{"coupon": None, "promotion_code": None, **chosen}] if chosen else [],
        "total_details": {"amount_discount": quote.off, "amount_shipping": 0, "amount_tax": 0},
    }
