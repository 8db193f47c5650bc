"""The checkout: what the basket costs this shopper, placing the order, and taking goods back."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from membership import clock
from perks.client import Basket, PerkApiError, Shipping
from perks.client.models import TotalsOut
from perks.demo_shop import goods, visit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from perks.client import Assumed, CheckOut, Decided, DecisionOut, Line, RedemptionOut
    from perks.client.models import EffectOut, SaleOut
    from perks.demo_shop.goods import Good
    from perks.demo_shop.till import Till
    from perks.demo_shop.visit import Order, Visit

EARLY_ACCESS, SERVICE, FREE_SHIPPING = "early_access", "service", "free_shipping"  # as the API names the kinds
NOT_HERE = "nothing_eligible"  # a perk for something else than this basket: nothing that a shopper asks about
WHAT_IF = "gold-year"  # what a guest is shown: the same basket, had they joined


@dataclass
class Quote:
    """What the shopper is told. `closed`: goods whose sale is not open to them, with its opening (None: it could not be
    asked); not sold.

    `answer`: the perk check's. None where it was refused or did not come (`trouble` says why): the shop's own prices
    hold then, less what is given by its fail mode (`assumed`). With both, the answer is one of before that still holds.
    A guest's answer is what a member would get, so `totals` are the shop's own too.
    """

    answer: CheckOut | None
    totals: TotalsOut
    lines: list[Line] = field(default_factory=list)
    closed: list[tuple[Good, datetime | None]] = field(default_factory=list)
    decisions: list[DecisionOut] = field(default_factory=list)
    services: list[DecisionOut] = field(default_factory=list)
    assumed: list[Assumed] = field(default_factory=list)
    trouble: PerkApiError | None = None

    @property
    def perks(self) -> list[str]:
        """What an order uses by itself: whatever takes something off, or adds a gift."""
        return [d.perk for d in self.decisions if d.allowed and d.effect and _counts(d.effect)]

    @property
    def saved(self) -> int:
        """What a member would pay less, where the answer is about what would be."""
        return self.totals.payable - self.answer.totals.payable if self.answer and self.answer.totals else 0


def _counts(effect: EffectOut) -> bool:
    return bool(effect.amount_off) or effect.target == "gift"


def openings(told: Sequence[SaleOut]) -> dict[str, datetime]:
    """The sales that are not open yet to the shopper they were asked for: code to opening."""
    closed = [sale for sale in told if not sale.open and sale.closes_at > clock.now()]
    return {sale.sale: sale.member_opens_at or sale.opens_at for sale in closed}


def quote(visit: Visit, till: Till) -> Quote:
    """Ask the API about the basket. An item whose sale is not open to this shopper yet is not sold to them."""
    closed = _closed(visit, till)
    shut = [good for good, _opens in closed]
    lines = [good.line(pieces, visit.currency) for good, pieces in visit.wanted() if good not in shut]
    amount = goods.shipping(visit.method, visit.currency) if lines else 0
    shipping = Shipping(country=visit.country, method=visit.method, amount=amount)
    basket = Basket(currency=visit.currency, lines=lines, shipping=shipping)
    decided = till.decide(number=visit.number, if_joined=WHAT_IF, basket=basket)
    if decided is None or decided.answer is None:
        assumed = [one for one in decided.assumed if one.allowed] if decided else []
        trouble = decided.trouble if decided else till.trouble
        return Quote(None, _own_totals(lines, amount, assumed), lines, closed, assumed=assumed, trouble=trouble)
    return _told(visit, decided, decided.answer, lines, closed, _own_totals(lines, amount))


def _told(
    visit: Visit,
    decided: Decided,
    answer: CheckOut,
    lines: list[Line],
    closed: list[tuple[Good, datetime | None]],
    own: TotalsOut,
) -> Quote:
    """By the API's answer."""
    guest = not visit.number
    on_sale = any(line.sale for line in lines)
    shown = [d for d in answer.decisions if d.kind != SERVICE and d.reason != NOT_HERE]
    shown = [d for d in shown if on_sale or d.kind != EARLY_ACCESS]
    services = [] if guest else [d for d in answer.decisions if d.kind == SERVICE and d.reason != "not_in_tier"]
    totals = own if guest or answer.totals is None else answer.totals
    return Quote(answer, totals, lines, closed, shown, services, trouble=decided.trouble)


def _closed(visit: Visit, till: Till) -> list[tuple[Good, datetime | None]]:
    """What of the basket is in a sale that is not open to this shopper, or of which that cannot be asked."""
    on_sale = [(good, good.sale) for good, _pieces in visit.wanted() if good.sale]
    if not on_sale:
        return []
    told = till.sales(visit.number)
    if told is None:
        return [(good, None) for good, _sale in on_sale]
    opens = openings(told)
    return [(good, opens[sale]) for good, sale in on_sale if sale in opens]


def _own_totals(lines: list[Line], shipping: int, assumed: Sequence[Assumed] = ()) -> TotalsOut:
    """The shop's own prices; delivery is free where that is assumed. No other perk says by itself what it takes off."""
    amount = sum(line.quantity * line.unit_amount for line in lines)
    free = shipping if any(one.kind == FREE_SHIPPING for one in assumed) else 0
    return TotalsOut(
        lines=amount,
        shipping=shipping,
        discount=0,
        shipping_discount=free,
        other_discounts=0,
        payable=amount + shipping - free,
    )


def place(shopper: Visit, asked: Quote, till: Till) -> Order | None:
    """Hold the perks, take the money (the demo's shop believes everybody), commit. None: a perk was gone meanwhile.

    What was promised while the API was away is kept to, and not held.
    """
    lines = [asdict(line) for line in asked.lines]
    order = visit.Order(visit.new_ref(), shopper.number, shopper.currency, lines, asdict(asked.totals))
    offered = {service.perk for service in asked.services if service.allowed}
    perks = [*asked.perks, *(code for code in shopper.services if code in offered)]
    if shopper.number and asked.answer and not asked.trouble and perks:
        held = till.hold(check=asked.answer.id, order=order.ref, perks=perks)
        if held is None:
            return None
        order.redemption = _kept(till.commit(held.id) or held)
    order.calls = [call.kept() for call in till.calls]
    shopper.basket, shopper.services = {}, []
    shopper.keep(order)
    return order


def _kept(redemption: RedemptionOut) -> dict[str, Any]:
    """What the session keeps of it."""
    uses = [{"perk": u.perk, "status": u.status, "worth": u.worth, "currency": u.currency} for u in redemption.perks]
    return {"id": redemption.id, "perks": uses}


def take_back(shopper: Visit, order: Order, lines: dict[str, int], till: Till) -> bool:
    """Goods came back: the shop takes them, and tells the API what of the perks comes back with them.

    -> whether any goods are taken back; not where till.trouble says why the API would not have it.
    """
    left = order.pieces_left()
    lines = {line: min(pieces, left[line]) for line, pieces in lines.items() if pieces > 0 and left.get(line, 0) > 0}
    if not lines:
        return False
    if order.redemption:
        key = f"return-{order.ref}-{sum(order.returned.values())}"
        told = till.give_back(order.redemption["id"], lines, key=key)
        if told is None:
            return False
        order.redemption = _kept(told)
    for line, pieces in lines.items():
        order.returned[line] = order.returned.get(line, 0) + pieces
    order.calls = [*order.calls, *(call.kept() for call in till.calls)]
    shopper.keep(order)
    return True
