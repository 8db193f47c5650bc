"""When a sale opens for whom: pure questions to a member's facts.

The rule is that of perks.kinds.early_access, asked at every moment at which its answer can change: so what GET /sales
tells (perks.sales) and what a perk check answers are one, to the second.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from membership.standing import HONORED, Standing
from perks import kinds
from perks.facts import Held
from perks.kinds import Refusal, early_access

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from perks.facts import Facts
    from perks.kinds import KindSettings, Question
    from perks.kinds.base import SaleDates

NEVER = datetime.max.replace(tzinfo=UTC)


def is_open(sale: SaleDates, facts: Facts | None, at: datetime) -> bool:
    """Whether somebody with these facts may shop the sale at `at`."""
    if at >= sale.closes_at:
        return False
    return at >= sale.opens_at or (facts is not None and _opened_early(sale, facts, at))


def opens_at(sale: SaleDates, facts: Facts | None, at: datetime, *, perk: str | None = None) -> datetime:
    """When it opens for somebody with these facts, as seen at `at`; when it did, if it has. At the latest when it does
    for the public. `perk`: only by the perk of this code."""
    if facts is None:
        return sale.opens_at
    since: datetime | None = None
    for moment in sorted({at, *_turns(sale, facts)}):
        if moment >= sale.opens_at:
            break
        if not _opened_early(sale, facts, moment, perk):
            since = None
            continue
        since = since or moment
        if moment >= at:
            break
    return since or sale.opens_at


def if_renewed(facts: Facts, at: datetime) -> Facts:
    """The facts as they will be if the renewal that is expected is paid when it is due.

    As they are, where none is expected, or where it is awaited already at `at`: then nobody knows.
    """
    ahead = facts.windows[-1] if facts.windows else None
    if ahead is None or not ahead.provisional or facts.entitled_until is None or at >= facts.entitled_until:
        return facts
    bought = ahead._replace(ends_at=NEVER, provisional=False)
    return facts._replace(windows=(*facts.windows[:-1], bought), entitled_until=NEVER, grace_until=None)


def as_entitled(refusal: Refusal, held: Held, settings: KindSettings, facts: Facts, question: Question) -> Refusal:
    """A "not open yet" of early access with the hour at which the member will still be entitled: where they will not
    be, that of the public. A renewal that is expected counts as paid, as GET /sales tells it."""
    if refusal.reason != "not_open_yet" or not isinstance(settings, early_access.Settings):
        return refusal
    ahead = if_renewed(facts, question.at)
    sales = early_access.asked_about(settings, question)
    opening = max(opens_at(sale, ahead, question.at, perk=held.perk) for sale in sales)
    if opening <= question.at:  # what opened it is used up
        return refusal
    return Refusal(refusal.reason, {"opens_at": opening}, opening)


def _opened_early(sale: SaleDates, facts: Facts, at: datetime, perk: str | None = None) -> bool:
    standing = facts.standing(at)
    if standing not in HONORED:
        return False
    return any(
        settings.opens_at(sale) <= at
        for settings in _keys(sale, facts.held(at, None if perk is None else (perk,)).values())
        if standing is Standing.CURRENT or settings.in_grace == "keep"
    )


def _keys(sale: SaleDates, held: Iterable[Held]) -> Iterator[early_access.Settings]:
    """The settings of the perks among `held` that open this sale, those that stand behind a goodwill one too."""
    for one in held:
        found: Held | None = one
        while found is not None:
            if found.kind == early_access.CODE:
                settings = kinds.load(found.kind, found.settings)[1]
                assert isinstance(settings, early_access.Settings)
                if settings.sales is None or sale.code in settings.sales:
                    yield settings
            found = found.instead


def _turns(sale: SaleDates, facts: Facts) -> Iterator[datetime]:
    """Moments at which the answer can turn."""
    yield from facts.moments()
    for window in (*facts.windows, *facts.goodwill):
        for settings in _keys(sale, window.held):
            yield settings.opens_at(sale)
