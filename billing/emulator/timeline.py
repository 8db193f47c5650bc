"""What happens by itself as time passes: objects say when they are due, modules say what happens then.

There is no need for a process to be awake: whoever asks first after the moment makes it happen, and the supervised
`local_stripe` process asks every second. However late that is, everything happens in order of its moment, and at it:
`clock.now()` is the moment at which a thing was due, not the one at which somebody asked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from django.db import transaction

from billing.emulator import clock
from billing.emulator.models import Record
from billing.emulator.routers import ALIAS

if TYPE_CHECKING:
    Happening = Callable[[Record], None]
    Moment = Callable[[Record], int | None]


class _Alarm(NamedTuple):
    rank: int
    at: Moment
    ring: Happening


_alarms: dict[str, list[_Alarm]] = {}
_beside: list[Callable[[], int]] = []


def _as_set(record: Record) -> int | None:
    return record.due_at


def when_due(kind: str, *, at: Moment = _as_set, rank: int = 0) -> Callable[[Happening], Happening]:
    """@when_due("invoice", at=next_attempt): called with the locked object at the moment that `at` reads from it.

    Afterwards `at` must answer None or a later moment. Of several things due at once, the lowest rank goes first.
    Without `at` it is the `due_at` that the object was given, and the happening must move or clear that.
    """

    def announce(happening: Happening) -> Happening:
        _alarms.setdefault(kind, []).append(_Alarm(rank, at, happening))
        _alarms[kind].sort(key=lambda alarm: alarm.rank)
        return happening

    return announce


def next_moment(record: Record) -> int | None:
    """When something happens to this object next, by what it says of itself; never before its now."""
    if record.deleted:
        return None
    moments = [moment for alarm in _alarms.get(record.kind, ()) if (moment := alarm.at(record)) is not None]
    if not moments:
        return None
    ours = record.test_clock == clock.test_clock()
    return max(min(moments), clock.now()) if ours else min(moments)


def beside(work: Callable[[], int]) -> Callable[[], int]:
    """@beside: done at each catch-up too; what goes by another time than the world's. Returns how much it did."""
    _beside.append(work)
    return work


def catch_up() -> int:
    """Do all that is due in the world by now, in order of time. Returns how many things happened."""
    return run(until=clock.now()) + sum(work() for work in _beside)


def run(*, until: int, test_clock: str = "") -> int:
    """Do all that is due by this moment on one clock, in order of time. Returns how many things happened."""
    done = 0
    while (due := _next(until, test_clock)) is not None:
        with transaction.atomic(using=ALIAS):
            record = Record.objects.select_for_update().get(id=due.id)
            if record.due_at == due.due_at:  # nobody else was faster
                _happen(record)
                done += 1
    return done


def _next(until: int, test_clock: str) -> Record | None:
    waiting = Record.objects.filter(due_at__isnull=False, due_at__lte=until, test_clock=test_clock)
    return waiting.order_by("due_at", "id").first()


def _happen(record: Record) -> None:
    """Ring what is due first. Raises RuntimeError when that leaves it due again: time would stand still."""
    moment = int(record.due_at or 0)
    due = [alarm for alarm in _alarms[record.kind] if (at := alarm.at(record)) is not None and at <= moment]
    if not due:  # made due by other means than its own facts
        record.due_at = next_moment(record)
        record.save(update_fields=["due_at"])
        return
    first = min(due, key=lambda alarm: (alarm.at(record), alarm.rank))
    with clock.standing_at(moment, test_clock=record.test_clock):
        first.ring(record)
        record.refresh_from_db()
        again = None if record.deleted else first.at(record)
    if again is not None and again <= moment:
        raise RuntimeError(f"{first.ring.__name__} left {record.stripe_id} due again at {again}")
