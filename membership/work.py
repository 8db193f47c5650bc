"""Work rows: claimed, tried, done. The database is the truth and Celery a doorbell, so this works without a broker.

A claim is one conditional UPDATE: of any number of workers exactly one gets the row. A worker that dies keeps the
claim only until its lease runs out; then the sweep hands the row to another. The claim is wall time, since it guards
a real process; what is due is asked of the product's clock.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from membership import clock
from membership.errors import DomainError
from membership.models.work import Tick, Work

log = logging.getLogger("vip.work")

BACK_OFF = (5, 30, 120, 600, 1800, 3600)  # seconds; the last one repeats
MAX_ATTEMPTS = 40


TOO_OFTEN = "tried too often"


class Park(DomainError):
    """Raised by a handler whose row needs a person: it is not tried again.

    `reason` is for staff; str() is for whoever waits on a page where the same thing was tried.
    """

    code = "needs_a_person"
    message = _("One of us must look at this first. Nothing is lost; please try again later.")  # type: ignore[assignment]

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


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
    """Claim one row and handle it. False: somebody else has it, it is not due, or it failed (and is rescheduled).
    Raises SoftTimeLimitExceeded, the row rescheduled.

    The count of attempts is the claim's number: who was overtaken writes nothing. Logs name the row and the type of
    what went wrong; its words may carry addresses (SMTP), so they are told outside production only.
    """
    lease = clock.wall() + timedelta(seconds=settings.WORK_LEASE)
    if not due(rows, at=at).order_by().filter(pk=pk).update(claimed_until=lease, attempts=F("attempts") + 1):
        return False
    row = rows.get(pk=pk)
    claim = rows.filter(pk=pk, attempts=row.attempts)
    if row.attempts > MAX_ATTEMPTS:  # its workers all died before they could say so
        claim.update(parked_reason=TOO_OFTEN, claimed_until=None)
        return False
    try:
        handle(row)
    except Park as park:
        claim.update(parked_reason=park.reason[:200] or "parked", claimed_until=None)
        return False
    except Exception as error:
        name = type(error).__name__
        told = None if settings.PRODUCTION else error
        log.error("%s %s failed, attempt %s: %s", type(row).__name__, pk, row.attempts, name, exc_info=told)
        _reschedule(claim, row.attempts, name, at)
        if isinstance(error, SoftTimeLimitExceeded):  # the time of the whole sweep is over, not only this row's
            raise
        return False
    return bool(claim.update(done_at=at, claimed_until=None, last_error=""))


def try_again[Row: Work](
    rows: QuerySet[Row], pk: object, handle: Callable[[Row], object], *, at: datetime
) -> tuple[bool, str]:
    """Try a row once now, whatever its turn or whatever parked it; failing again it is parked again. -> whether it is
    done, and why not. What another worker has in hand is left to it."""
    free = Q(claimed_until=None) | Q(claimed_until__lt=clock.wall())
    mine = rows.filter(free, pk=pk, done_at=None).order_by()
    mine.update(parked_reason="", due_at=at, attempts=MAX_ATTEMPTS - 1)
    if run_one(rows, pk, handle, at=at):
        return True, ""
    row = rows.get(pk=pk)
    return row.done_at is not None, f"{row.parked_reason} {row.last_error}".strip()


def _reschedule[Row: Work](claim: QuerySet[Row], attempts: int, error: str, at: datetime) -> None:
    wait = BACK_OFF[min(attempts, len(BACK_OFF)) - 1]
    claim.update(
        due_at=at + timedelta(seconds=wait),
        claimed_until=None,
        last_error=error[:500],
        parked_reason=TOO_OFTEN if attempts >= MAX_ATTEMPTS else "",
    )


def ticked(name: str, *, at: datetime) -> None:
    """Note that a sweep ran to its end, so that its silence can be seen. One statement: it is done often."""
    now = {"ran_at": at, "ran_wall": clock.wall()}
    if not Tick.objects.filter(name=name).update(**now):
        Tick.objects.get_or_create(name=name, defaults=now)
