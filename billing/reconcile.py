"""Reconcile: each night, walk Stripe's lists and ours, and read again whatever differs. Called by beat and by hand.

Lists, not events: Stripe keeps events for 30 days, and one that never came leaves no trace. A page at a time, so that
memory is bounded; where it stopped, it goes on. What was mended is a finding and an entry on the member's timeline;
what could not be is raised for staff. One bad row does not stop the rest.
"""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from billing import gateway
from billing.models import Customer, Payment, ReconcileFinding, ReconcileRun
from billing.walks import WALKS, Walk
from membership import clock, timeline, work
from membership.errors import DomainError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from billing.differences import Row
    from membership.models import Member

log = logging.getLogger("vip.billing")

HOUR_OF_NIGHT = 3  # in the house's own zone
LEASE = timedelta(minutes=3)  # wall time after which another worker takes an unfinished run over
SLICE = 20.0  # seconds of one ring of beat
ALL_EVERY = timedelta(days=28)  # so often a run walks everything, however old
Outcome = ReconcileFinding.Outcome


def nightly(*, at: datetime) -> ReconcileRun | None:
    """Go on with an unfinished run, or begin tonight's once its hour has come. -> the run, None if there is none."""
    run = ReconcileRun.objects.filter(finished_at=None).order_by("pk").first()
    if run is None:
        last = ReconcileRun.objects.first()
        if last is not None and last.started_at >= _last_night(at):
            return None
        run = begin(since=_since(at), at=at)
    go_on(run, seconds=SLICE)
    return run


def _last_night(at: datetime) -> datetime:
    local = at.astimezone(ZoneInfo(settings.VIP_HOME_ZONE))
    hour = local.replace(hour=HOUR_OF_NIGHT, minute=0, second=0, microsecond=0)
    return hour if hour <= local else hour - timedelta(days=1)


def _since(at: datetime) -> datetime | None:
    """From the last run on that mended all it met: what failed, while Stripe was out of order say, is met again.

    None: everything, which also comes every four weeks, whatever went well.
    """
    finished = ReconcileRun.objects.exclude(finished_at=None)
    whole = finished.filter(since=None, started_at__gt=at - ALL_EVERY).first()
    if whole is None:
        return None
    clean = finished.filter(pk__gt=whole.pk).exclude(findings__outcome=Outcome.FAILED).first()
    return (clean or whole).started_at


def begin(*, since: datetime | None, at: datetime) -> ReconcileRun:
    """A new run: of what was made since (and a while before), or of everything."""
    return ReconcileRun.objects.create(since=since, started_at=at, started_wall=clock.wall(), walk=next(iter(WALKS)))


def go_on(run: ReconcileRun, *, seconds: float | None = None) -> bool:
    """Walk on until the end, or for about so many seconds. -> whether it is finished.

    Raises StripeUnavailable when a list cannot be had: the run stays where it is.
    """
    until = None if seconds is None else time.monotonic() + seconds
    now = clock.wall()
    mine = ReconcileRun.objects.filter(pk=run.pk, finished_at=None)
    if not mine.filter(Q(claimed_until=None) | Q(claimed_until__lt=now)).update(claimed_until=now + LEASE):
        return False
    try:
        for _page in _pages(run):
            mine.update(claimed_until=clock.wall() + LEASE)
            if until is not None and time.monotonic() >= until:
                break
    finally:
        mine.update(claimed_until=None)
    run.refresh_from_db()
    return run.finished_at is not None


def _pages(run: ReconcileRun) -> Iterator[None]:
    """One row or page at a time, each kept before the next is begun."""
    run.refresh_from_db()
    names = list(WALKS)
    while run.finished_at is None:
        walk = WALKS[run.walk]
        rows, cursor = _page(run, walk)
        for _row in _look_at(run, walk, rows):
            yield
        run.cursor = cursor
        if not cursor:
            rest = names[names.index(run.walk) + 1 :]
            run.walk = rest[0] if rest else run.walk
            run.finished_at = None if rest else clock.now()
        ReconcileRun.objects.filter(pk=run.pk).update(
            walk=run.walk, cursor=run.cursor, finished_at=run.finished_at, seen=F("seen") + len(rows)
        )
        yield


def _page(run: ReconcileRun, walk: Walk) -> tuple[list[Row], str]:
    try:
        return walk.page(run, walk)
    except gateway.StripeRefused as refusal:
        if not run.cursor or not gateway.is_missing(refusal):
            raise
        run.cursor = ""  # the row it stopped at was deleted: this list once more from its top
        return walk.page(run, walk)


def _look_at(run: ReconcileRun, walk: Walk, rows: list[Row]) -> Iterator[None]:
    done = set(run.findings.filter(walk=run.walk).values_list("object_id", flat=True)) if rows else set()
    for row, said in _differing(walk, rows):
        if row["id"] in done:  # met before the run was cut off in the middle of this page
            continue
        _keep(run, row, *_mended(walk, row, said))
        yield


def _differing(walk: Walk, rows: list[Row]) -> Iterator[tuple[Row, str]]:
    """The page at once; row by row if one of them cannot even be compared."""
    try:
        found = walk.differs(rows)
    except SoftTimeLimitExceeded:
        raise  # the time of this ring is over; the run goes on with this page
    except Exception:
        found = {}
        for row in rows:
            try:
                found |= walk.differs([row])
            except SoftTimeLimitExceeded:
                raise
            except Exception as problem:
                log.exception("%s could not be compared", row["id"])
                found[row["id"]] = f"could not be compared: {type(problem).__name__}"
    for row in rows:
        if row["id"] in found:
            yield row, found[row["id"]]


def _mended(walk: Walk, row: Row, said: str) -> tuple[str, str]:
    try:
        walk.mend(row)
        left = walk.differs([walk.fresh(row)])
    except work.Park as park:
        return Outcome.RAISED, park.reason
    except SoftTimeLimitExceeded:
        raise  # nothing is known of this row: the next ring meets it again
    except Exception as problem:
        told = None if isinstance(problem, DomainError) else problem
        log.warning("%s could not be mended: %s", row["id"], type(problem).__name__, exc_info=told)
        words = problem.details["said"] if isinstance(problem, gateway.StripeRefused) else ""
        return Outcome.FAILED, f"{said}; {type(problem).__name__} {words}"
    return (Outcome.RAISED, left[row["id"]]) if row["id"] in left else (Outcome.REPAIRED, said)


def _whose(row: Row) -> Member | None:
    """The member an object is about: by its customer, or by the charge that it gives back or contests."""
    payment = Payment.objects.filter(stripe_id=row.get("charge") or "").select_related("membership__member").first()
    if payment is not None:
        return payment.membership.member
    payer = Customer.objects.filter(stripe_id=row.get("customer") or row["id"]).select_related("member").first()
    return payer.member if payer else None


@transaction.atomic
def _keep(run: ReconcileRun, row: Row, outcome: str, said: str) -> None:
    member, at = _whose(row), clock.now()
    waits = outcome != Outcome.FAILED  # what went wrong on the way is met again, by itself
    ReconcileFinding.objects.filter(waits=True, walk=run.walk, object_id=row["id"]).update(waits=False)
    ReconcileFinding.objects.update_or_create(
        run=run,
        walk=run.walk,
        object_id=row["id"],
        defaults={"outcome": outcome, "member": member, "said": said[:400], "found_at": at, "waits": waits},
    )
    if member is not None and outcome == Outcome.REPAIRED:
        data = {"run": run.pk, "object": row["id"], "differed": said[:400]}
        ref = f"reconcile:{run.pk}:{row['id']}"
        timeline.write(member=member, kind="reconcile.repaired", at=at, actor="system", data=data, source_ref=ref)


def report(run: ReconcileRun, *, most: int = 100) -> dict[str, Any]:
    """What a run found, for staff and for the command's output: counts, and the first of each kind."""
    told: dict[str, Any] = {
        "run": run.pk,
        "since": run.since.isoformat() if run.since else None,
        "started_at": run.started_at.isoformat(),
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
        "seen": run.seen,
    }
    for outcome in Outcome:
        found = run.findings.filter(outcome=outcome)
        told[outcome.value] = {
            "count": found.count(),
            "first": [f"{f.object_id}: {f.said}" for f in found.order_by("pk")[:most]],
        }
    return told
