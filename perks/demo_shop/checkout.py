"""The checkout: what the basket costs this shopper, placing the order, and taking goods back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from membership import clock
from perks.demo_shop import goods, visit

if TYPE_CHECKING:
    from perks.demo_shop.goods import Good
    from perks.demo_shop.till import Exchange, Till
    from perks.demo_shop.visit import Order, Visit

EARLY_ACCESS, SERVICE = "early_access", "service"  # as the API names the kinds
NOT_HERE = "nothing_eligible"  # a perk for something else than this basket: nothing that a shopper asks about
WHAT_IF = "gold-year"  # what a guest is shown: the same basket, had they joined


@dataclass
class Quote:
    """What the shopper is told. `closed`: goods whose sale is not open to them yet, with the opening; not sold.

    `answer`: the perk check's, None where it was refused or did not come (`check` says why): the shop's own prices
    hold then. A guest's answer is what a member would get, so `totals` are the shop's own too.
    """

    check: Exchange | None
    answer: dict[str, Any] | None
    totals: dict[str, int]
    lines: list[dict[str, Any]] = field(default_factory=list)
    closed: list[tuple[Good, datetime]] = field(default_factory=list)
    decisions: list[dict[str, Any]] = field(default_factory=list)
    services: list[dict[str, Any]] = field(default_factory=list)

    @property
    def perks(self) -> list[str]:
        """What an order uses by itself: whatever takes something off, or adds a gift."""
        return [d["perk"] for d in self.decisions if d["allowed"] and _counts(d["effect"])]

    @property
    def saved(self) -> int:
        """What a member would pay less, where the answer is about what would be."""
        return self.totals["payable"] - self.answer["totals"]["payable"] if self.answer else 0


def _counts(effect: dict[str, Any]) -> bool:
    return bool(effect.get("amount_off")) or effect["target"] == "gift"


def openings(told: Exchange) -> dict[str, datetime]:
    """The sales that are not open yet to the shopper they were asked for: code to opening."""
    if not told.ok:
        return {}
    return {
        sale["sale"]: datetime.fromisoformat(sale["member_opens_at"] or sale["opens_at"])
        for sale in told.answer
        if not sale["open"] and datetime.fromisoformat(sale["closes_at"]) > clock.now()
    }


def quote(visit: Visit, till: Till) -> Quote:
    """Ask the API about the basket. An item whose sale is not open to this shopper yet is not sold to them."""
    wanted, closed = visit.wanted(), []
    if any(good.sale for good, _pieces in wanted):
        opens = openings(till.sales(visit.number))
        closed = [(good, opens[good.sale]) for good, _pieces in wanted if good.sale in opens]
        wanted = [(good, pieces) for good, pieces in wanted if good.sale not in opens]
    lines = [good.line(pieces, visit.currency) for good, pieces in wanted]
    check = till.check(_question(visit, lines))
    answer = check.answer if check.ok else None
    guest = not visit.number
    totals = answer["totals"] if answer and not guest else _own_totals(visit, lines)
    decided = answer["decisions"] if answer else []
    on_sale = any(line["sale"] for line in lines)
    shown = [d for d in decided if d["kind"] != SERVICE and d["reason"] != NOT_HERE]
    shown = [d for d in shown if on_sale or d["kind"] != EARLY_ACCESS]
    services = [] if guest else [d for d in decided if d["kind"] == SERVICE and d["reason"] != "not_in_tier"]
    return Quote(check, answer, totals, lines, closed, shown, services)


def _question(visit: Visit, lines: list[dict[str, Any]]) -> dict[str, Any]:
    who = {"member": {"number": visit.number}} if visit.number else {"if_joined": WHAT_IF}
    amount = goods.shipping(visit.method, visit.currency) if lines else 0
    basket = {
        "currency": visit.currency,
        "lines": lines,
        "shipping": {"country": visit.country, "method": visit.method, "amount": amount},
    }
    return {**who, "basket": basket, "channel": "web"}


def _own_totals(visit: Visit, lines: list[dict[str, Any]]) -> dict[str, int]:
    amount = sum(line["quantity"] * line["unit_amount"] for line in lines)
    shipping = goods.shipping(visit.method, visit.currency) if lines else 0
    none_off = {"discount": 0, "shipping_discount": 0, "other_discounts": 0}
    return {"lines": amount, "shipping": shipping, **none_off, "payable": amount + shipping}


def place(shopper: Visit, asked: Quote, till: Till) -> Order | None:
    """Hold the perks, take the money (the demo's shop believes everybody), commit. None: a perk was gone meanwhile."""
    order = visit.Order(visit.new_ref(), shopper.number, shopper.currency, asked.lines, asked.totals)
    offered = {service["perk"] for service in asked.services if service["allowed"]}
    perks = [*asked.perks, *(code for code in shopper.services if code in offered)]
    if shopper.number and asked.answer and perks:
        held = till.hold(check=asked.answer["id"], order=order.ref, perks=perks)
        if not held.ok:
            return None
        paid = till.commit(held.answer["id"])
        order.redemption = (paid if paid.ok else held).answer
    order.calls = [call.kept() for call in till.calls]
    shopper.basket, shopper.services = {}, []
    shopper.keep(order)
    return order


def take_back(shopper: Visit, order: Order, lines: dict[str, int], till: Till) -> Exchange | None:
    """Goods came back: the shop takes them, and tells the API what of the perks comes back with them."""
    left = order.pieces_left()
    lines = {line: min(pieces, left[line]) for line, pieces in lines.items() if pieces > 0 and left.get(line, 0) > 0}
    if not lines:
        return None
    told = None
    if order.redemption:
        key = f"return-{order.ref}-{sum(order.returned.values())}"
        told = till.give_back(order.redemption["id"], lines, key=key)
        if not told.ok:
            return told
        order.redemption = told.answer
    for line, pieces in lines.items():
        order.returned[line] = order.returned.get(line, 0) + pieces
    order.calls = [*order.calls, *(call.kept() for call in till.calls)]
    shopper.keep(order)
    return told
