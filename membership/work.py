"""Work rows: claimed, tried, done. The database is the truth and Celery a doorbell, so this works without a broker.

A claim is one conditional UPDATE: of any number of workers exactly one gets the row. A worker that dies keeps the
claim only until its lease runs out; then the sweep hands the row to another. The claim is wall time, since it guards
a real process; what is due is asked of the product's clock.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, Q, QuerySet

from membership import clock
from membership.models.work import Tick, Work

log = logging.getLogger("vip.work")

BACK_OFF = (5, 30, 120, 600, 1800, 3600)  # seconds; the last one repeats
MAX_ATTEMPTS = 40


class Park(Exception):
    """Raised by a handler whose row needs a person: it is not tried again, and its reason is shown to staff."""


def drain[Row: Work](rows: QuerySet[Row], handle: Callable[[Row], object], *, at: datetime, limit: int = 500) -> int:
    """Work off what is due in `rows` at `at`, oldest first. Returns how many were done; failures are rescheduled."""
    done = 0
    for pk in due(rows, at=at).values_list("pk", flat=True)[:limit]:
        done += run_one(rows, pk, handle, at=at)
    return done


def due[Row: Work](rows: QuerySet[Row], *, at: datetime) -> QuerySet[Row]:
    """Rows that wait for somebody: due, not done, not parked, not in another worker's hands."""
    free = Q(claimed_until=None) | Q(claimed_until__lt=clock.wall())
    return rows.filter(free, due_at__lte=at, done_at=None, parked_reason="").order_by("due_at", "pk")


def run_one[Row: Work](rows: QuerySet[Row], pk: object, handle: Callable[[Row], object], *, at: datetime) -> bool:
    """Claim one row and handle it. False: somebody else has it, it is not due, or it failed (and is rescheduled)."""
    lease = clock.wall() + timedelta(seconds=settings.WORK_LEASE)
    if not due(rows, at=at).order_by().filter(pk=pk).update(claimed_until=lease, attempts=F("attempts") + 1):
        return False
    row = rows.get(pk=pk)
    try:
        handle(row)
    except Park as reason:
        rows.filter(pk=pk).update(parked_reason=str(reason)[:200] or "parked", claimed_until=None)
        return False
    except Exception as error:
        log.exception("%s %s failed, attempt %s", type(row).__name__, pk, row.attempts)
        _reschedule(rows, row, error, at)
        return False
    rows.filter(pk=pk).update(done_at=at, claimed_until=None, last_error="")
    return True


def _reschedule[Row: Work](rows: QuerySet[Row], row: Row, error: Exception, at: datetime) -> None:
    wait = BACK_OFF[min(row.attempts, len(BACK_OFF)) - 1]
    rows.filter(pk=row.pk).update(
        due_at=at + timedelta(seconds=wait),
        claimed_until=None,
        last_error=f"{type(error).__name__}: {error}"[:500],
        parked_reason="tried too often" if row.attempts >= MAX_ATTEMPTS else "",
    )


def ticked(name: str, *, at: datetime) -> None:
    """Note that a sweep ran to its end, so that its silence can be seen."""
    Tick.objects.update_or_create(name=name, defaults={"ran_at": at})
