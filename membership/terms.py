"""How terms follow one another: pure arithmetic on Term objects, used by lifecycle.py before it writes.

A run of terms is counted from one anchor: paid and offline years follow on in one run. A trial, a gift, a free
extension and whatever comes after them open a new anchor at the moment the last term ends, as Stripe's own anchor
does when its `trial_end` is moved there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from membership import calendar
from membership.models import Plan, Term

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

RUNS_ON = {Term.Source.PAID, Term.Source.OFFLINE}


@dataclass(frozen=True)
class Length:
    """How long one term is: `every` × `interval`."""

    interval: str
    every: int = 1

    @classmethod
    def of_plan(cls, plan: Plan) -> Length:
        return cls(plan.term_interval)

    @classmethod
    def days(cls, days: int) -> Length:
        return cls(Term.Interval.DAY, days)


def follow(last: Term | None, *, source: str, length: Length, starts_at: datetime, interrupted: bool = False) -> Term:
    """The next term (unsaved, without plan and reference). Terms tile: it begins where `last` ends.

    `starts_at` counts for a first term, and for one that was `interrupted`: whole periods passed under a stop, and
    nobody paid for them. Their ordinals are left out, so that the run stays in step with Stripe's.
    """
    if last is not None and _runs_on(last, source, length):
        anchor, ordinal = last.anchor_at, last.ordinal + 1
    else:
        anchor, ordinal = (last.ends_at if last else starts_at), 1
    term = Term(source=source, interval=length.interval, every=length.every, anchor_at=anchor, ordinal=ordinal)
    term.starts_at = last.ends_at if last else starts_at
    term.ends_at = end_of(term)
    while interrupted and term.ends_at <= starts_at:
        term.ordinal += 1
        term.starts_at, term.ends_at = term.ends_at, end_of(term)
    return term


def _runs_on(last: Term, source: str, length: Length) -> bool:
    same_length = (last.interval, last.every) == (length.interval, length.every)
    return same_length and last.source in RUNS_ON and source in RUNS_ON


def end_of(term: Term) -> datetime:
    """anchor + ordinal × (every × interval), clamped."""
    interval = cast("calendar.Interval", term.interval)
    return calendar.anniversary(term.anchor_at, interval, term.ordinal * term.every)


def shift(terms: Sequence[Term], by: timedelta) -> list[Term]:
    """Move the end of the first of `terms` (oldest first) by `by`, and let the others follow. Changes the objects.

    A pause moves the anchor by its length; the term's own start stays where it was.
    """
    previous: Term | None = None
    previous_anchor: datetime | None = None
    for term in terms:
        old_anchor = term.anchor_at
        if previous is None:
            term.anchor_at += by
        else:
            term.anchor_at = previous.anchor_at if old_anchor == previous_anchor else previous.ends_at
            term.starts_at = previous.ends_at
        term.ends_at = end_of(term)
        previous, previous_anchor = term, old_anchor
    return list(terms)
