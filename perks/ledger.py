"""The value ledger: what each use of a perk was worth to the member, and what it cost the shop. Money in minor units.

Whoever tells savings, quotes a refund or counts a perk's profit reads it here.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perks.basket import Basket
    from perks.kinds import KindSettings
    from perks.kinds.base import Valuation

Lines = dict[str, list[int]]  # line id -> [quantity, weight]


class Value(NamedTuple):
    worth: int
    cost: int
    currency: str


def value(settings: KindSettings, effect: Mapping[str, Any], *, currency: str | None, own: str) -> Value:
    """What a use with this effect counts for.

    In the basket's `currency`. Without a basket: in the member's `own` currency if a fixed sum is set in it, else in
    the first that one is set in.
    """
    fixed = [v.fixed for v in (settings.worth, settings.cost) if v.fixed]
    if currency is None:
        known = sorted({code for sums in fixed for code in sums})
        currency = own if own in known or not known else known[0]
    off = effect.get("amount_off") or 0
    return Value(_of(settings.worth, off, currency), _of(settings.cost, off, currency), currency)


def _of(valuation: Valuation, off: int, currency: str) -> int:
    """A fixed sum (zero in a currency it is not set in), or a share of what was taken off, half-up."""
    if valuation.fixed is not None:
        return valuation.fixed.get(currency, 0)
    return (off * valuation.share + 50) // 100


def weights(basket: Basket | None, effect: Mapping[str, Any]) -> Lines:
    """How a use is spread over the lines of its order: as its effect was, else as the goods' value is."""
    if basket is None:
        return {}
    off = {line["id"]: line["amount_off"] for line in effect.get("lines") or ()}
    weighed = {line.id: off.get(line.id, 0) if off else line.amount for line in basket.lines}
    if not any(weighed.values()):
        weighed = {line.id: line.quantity for line in basket.lines}
    return {line.id: [line.quantity, weighed[line.id]] for line in basket.lines}


def came_back(lines: Lines, returned: Mapping[str, int]) -> Fraction:
    """The part of a use that was returned, exactly: 0 to 1. `returned`: quantities by line."""
    whole = sum(weight for _quantity, weight in lines.values())
    if not whole:
        return Fraction(0)
    parts = (Fraction(weight * returned.get(line, 0), quantity) for line, (quantity, weight) in lines.items())
    return sum(parts, Fraction(0)) / whole


def part(amount: int, share: Fraction) -> int:
    """A share of an amount, half-up. Asked of what came back in all so far, so that the parts of it add up."""
    return (2 * amount * share.numerator + share.denominator) // (2 * share.denominator)
