"""The savings statement: what a member's perks were worth to them, term by term, from the value ledger alone.

Every committed use of the member stands in exactly one period, so the periods add up to the ledger. A term's period
lasts until the next one begins: uses in the grace after it are told with it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import zip_longest
from typing import TYPE_CHECKING

from membership import calendar
from membership.models import Term
from perks import ledger
from perks.kinds.base import localized
from perks.models import Perk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from membership.models import Member

ALWAYS, NEVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Line:
    """One perk in one currency."""

    name: str
    uses: int
    worth: int
    currency: str


@dataclass(frozen=True)
class UseLine:
    """One use, as the member reads it."""

    name: str
    order: str
    used_at: datetime
    worth: int
    currency: str


@dataclass(frozen=True)
class Period:
    """[starts_at, ends_at); None at the start: before the first term that is known. `last_day`: None while it runs."""

    starts_at: datetime | None
    last_day: date | None
    tier: str
    lines: list[Line]
    uses: list[UseLine]
    totals: list[tuple[int, str]] = field(default_factory=list)  # worth and currency, the greatest first


def statement(member: Member, *, at: datetime) -> list[Period]:
    """Every term that has begun, the newest first, and what was used in it (empty ones too: nothing is hidden)."""
    uses = ledger.uses(member=member, since=ALWAYS, until=NEVER)
    names = _names({use.perk for use in uses})
    terms = _terms(member, at)
    periods = []
    for term, after in zip_longest(terms, terms[1:]):
        end = after.starts_at if after else NEVER
        periods.append(_period(term, [u for u in uses if term.starts_at <= u.used_at < end], names, end))
    before = [u for u in uses if not terms or u.used_at < terms[0].starts_at]
    if before:
        periods.insert(0, _told(None, None, "", before, names))
    return periods[::-1]


def this_period(member: Member, *, at: datetime) -> Period | None:
    """The one that runs; None before the first."""
    found = statement(member, at=at)
    return found[0] if found and found[0].starts_at is not None else None


def _terms(member: Member, at: datetime) -> list[Term]:
    """Those the member lived by: of their own memberships, and of those whose household they have a seat in."""
    begun = Term.objects.filter(starts_at__lte=at).select_related("plan__tier", "membership")
    begun = begun.prefetch_related("tier_changes__to_plan__tier")
    own = begun.filter(membership__member=member)
    seated = begun.filter(membership__seats__holder=member)
    found = {term.pk: term for term in (*own, *seated)}
    return sorted(found.values(), key=lambda term: (term.starts_at, term.pk))


def _names(perks: set[str]) -> dict[str, str]:
    found = Perk.objects.filter(code__in=perks).values_list("code", "names")
    return {code: localized(names) for code, names in found}


def _period(term: Term, uses: list[ledger.Use], names: dict[str, str], end: datetime) -> Period:
    over = None if end is NEVER else calendar.last_day(end, term.membership.time_zone)
    changes = sorted(term.tier_changes.all(), key=lambda change: (change.changed_at, change.pk))
    plan = changes[-1].to_plan if changes else term.plan
    return _told(term.starts_at, over, plan.tier.name, uses, names)


def _told(
    starts_at: datetime | None, last_day: date | None, tier: str, uses: list[ledger.Use], names: dict[str, str]
) -> Period:
    told = [UseLine(names[u.perk], u.order, u.used_at, u.worth, u.currency) for u in reversed(uses)]
    return Period(starts_at, last_day, tier, list(_lines(uses, names)), told, _totals(uses))


def _lines(uses: list[ledger.Use], names: dict[str, str]) -> Iterator[Line]:
    sums: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for use in uses:
        sums[use.perk, use.currency].append(use.worth)
    for (perk, currency), worths in sorted(sums.items(), key=lambda item: (-sum(item[1]), item[0])):
        yield Line(names[perk], len(worths), sum(worths), currency)


def _totals(uses: list[ledger.Use]) -> list[tuple[int, str]]:
    sums: defaultdict[str, int] = defaultdict(int)
    for use in uses:
        sums[use.currency] += use.worth
    return sorted(((worth, currency) for currency, worth in sums.items()), reverse=True)
