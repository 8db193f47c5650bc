"""Sweeps over rows that are no work rows themselves: a turn at each ring, bounded, what waits longest first.

A row that cannot be dealt with is set back: it waits, longer each time, so that a handful of bad rows (or one that
uses up all the time there is) never keeps the others from their turn.
"""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from celery.exceptions import SoftTimeLimitExceeded
from django.db.models import Exists, Model, OuterRef, QuerySet

from membership.models import Setback

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

log = logging.getLogger("vip.sweeps")

ROWS = 500  # of one turn, at most
SECONDS = 40.0  # after which no further row is begun: the next turn is a minute away
WAITS = (0, 0, 120, 600, 1800, 3600)  # seconds a row waits after its first failure, its second...; the last repeats
KEPT = timedelta(days=7)  # a setback that no failure has renewed for so long is of a row that is gone


class NotYet(Exception):  # nothing went wrong
    """Raised by what acts on a row that turns out not to be due: it is passed over until then."""

    def __init__(self, until: datetime) -> None:
        super().__init__()
        self.until = until


def turn[Row: Model](
    name: str, rows: QuerySet[Row], act: Callable[[Row], object], *, at: datetime, limit: int = ROWS
) -> int:
    """Act on the first of `rows`, which come in the order of their turn. -> how many `act` said were done.

    What fails is set back and told by its type alone; what is not due yet (NotYet) is put off.
    Raises SoftTimeLimitExceeded, the row set back.
    """
    done, ends = 0, time.monotonic() + SECONDS
    for row in waiting(name, rows, at=at)[:limit]:
        if time.monotonic() >= ends:
            break
        try:
            done += bool(act(row))
        except NotYet as early:
            _put_off(name, row, early.until)
        except Exception as problem:
            log.warning("%s: %s %s is left for later: %s", name, type(row).__name__, row.pk, type(problem).__name__)
            _set_back(name, row, problem, at)
            if isinstance(problem, SoftTimeLimitExceeded):  # the time of the whole sweep is over
                raise
    return done


def waiting[Row: Model](name: str, rows: QuerySet[Row], *, at: datetime) -> QuerySet[Row]:
    """Those of `rows` that are not set back in this sweep."""
    set_back = Setback.objects.filter(sweep=name, row=OuterRef("pk"), until__gt=at)
    return rows.filter(~Exists(set_back))


def _set_back(name: str, row: Model, problem: Exception, at: datetime) -> None:
    failed = Setback.objects.filter(sweep=name, row=row.pk).values_list("attempts", flat=True).first() or 0
    wait = WAITS[min(failed, len(WAITS) - 1)]
    _put_off(name, row, at + timedelta(seconds=wait), attempts=failed + 1, last_error=type(problem).__name__)


def _put_off(name: str, row: Model, until: datetime, **fields: Any) -> None:
    Setback.objects.update_or_create(sweep=name, row=row.pk, defaults={"until": until, **fields})


def forget(*, at: datetime) -> int:
    """Forget the setbacks of rows that went through, or away."""
    gone, _ = Setback.objects.filter(until__lt=at - KEPT).delete()
    return gone
