"""The value ledger: what each use of a perk was worth to the member, and what it cost the shop. Money in minor units.

Whoever tells savings, quotes a refund or counts a perk's profit reads it here.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.models import Count, F, Q, Sum

from perks.models import Redemption

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from django.db.models import QuerySet

    from membership.models import Member, Membership
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


class Use(NamedTuple):
    """One committed use, less what came back of it."""

    perk: str
    kind: str
    order: str
    used_at: datetime
    worth: int
    cost: int
    currency: str


class Saving(NamedTuple):
    """What the uses of one perk were worth together, in one currency."""

    perk: str
    currency: str
    uses: int
    worth: int
    cost: int


_NET = {"net_worth": F("worth") - F("returned_worth"), "net_cost": F("cost") - F("returned_cost")}


def uses(*, member: Member, since: datetime, until: datetime) -> list[Use]:
    """What the member used in [since, until), oldest first; what was wholly returned is no use."""
    found = _committed(Q(member=member), since, until).annotate(**_NET).order_by("committed_at", "pk")
    told = ("grant__perk__code", "grant__perk__kind", "order_ref", "committed_at", "net_worth", "net_cost", "currency")
    return [Use(*row) for row in found.values_list(*told)]


def savings(*, member: Member, since: datetime, until: datetime) -> list[Saving]:
    """The same by perk and currency, in the order of the catalogue: the lines of a savings statement."""
    found = _committed(Q(member=member), since, until).values("grant__perk__code", "currency")
    sums = {"count": Count("pk"), "worth_in_all": Sum(_NET["net_worth"]), "cost_in_all": Sum(_NET["net_cost"])}
    rows = found.annotate(**sums).order_by("grant__perk__position", "grant__perk__code", "currency")
    return [Saving(*row) for row in rows.values_list("grant__perk__code", "currency", *sums)]


class PerkUse(NamedTuple):
    """What one perk's uses came to over all members, in one currency."""

    perk: str
    currency: str
    uses: int
    members: int
    worth: int
    cost: int


def use_of_perks(*, since: datetime, until: datetime) -> list[PerkUse]:
    """Every perk used in [since, until), in the order of the catalogue. What was wholly returned counts no use."""
    found = _committed(Q(), since, until).values("grant__perk__code", "currency")
    sums = {
        "count": Count("pk"),
        "of_members": Count("member", distinct=True),
        "worth_in_all": Sum(_NET["net_worth"]),
        "cost_in_all": Sum(_NET["net_cost"]),
    }
    rows = found.annotate(**sums).order_by("grant__perk__position", "grant__perk__code", "currency")
    return [PerkUse(*row) for row in rows.values_list("grant__perk__code", "currency", *sums)]


def worth_used(*, membership: Membership, currency: str, since: datetime, until: datetime) -> int:
    """What all who live by the membership have of its perks, in one currency: for a refund's quote."""
    committed = _committed(Q(grant__membership=membership, currency=currency), since, until)
    return committed.aggregate(sum=Sum(_NET["net_worth"]))["sum"] or 0


def _committed(whose: Q, since: datetime, until: datetime) -> QuerySet[Redemption]:
    return Redemption.objects.filter(
        whose, status=Redemption.Status.COMMITTED, committed_at__gte=since, committed_at__lt=until
    )
