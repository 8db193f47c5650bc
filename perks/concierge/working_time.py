"""Working time: when the desk is open, and when so many open hours have passed. Pure, in any time zone.

Hours are local (09:00 is 09:00 in summer and in winter); what is counted is real time, so the night in which clocks
change has the hours it really has.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FULL_DAY = 24 * 60
HORIZON = timedelta(days=400)  # a desk that does not open in all that time never will
Stretch = tuple[int, int]  # [opens, closes) in minutes since local midnight


@dataclass(frozen=True)
class WorkingTime:
    """`hours`: the open stretches by weekday (0: Monday). `holidays` are local days without any."""

    zone: str
    hours: Mapping[int, tuple[Stretch, ...]]
    holidays: frozenset[date] = frozenset()

    @cached_property
    def _merged(self) -> dict[int, list[Stretch]]:
        """Stretches in order; those that touch or overlap are one, so that no minute counts twice."""
        merged: dict[int, list[Stretch]] = {}
        for weekday, stretches in self.hours.items():
            found: list[Stretch] = []
            for opens, closes in sorted(stretches):
                if found and opens <= found[-1][1]:
                    found[-1] = (found[-1][0], max(found[-1][1], closes))
                else:
                    found.append((opens, closes))
            merged[weekday] = found
        return merged

    def stretches(self, since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The open stretches within [since, until), in UTC and in order."""
        zone, told = ZoneInfo(self.zone), since
        day, last = since.astimezone(zone).date(), until.astimezone(zone).date()
        while day <= last:
            for opens, closes in () if day in self.holidays else self._merged.get(day.weekday(), ()):
                start = max(_instant(day, opens, zone), told)  # where clocks jump, two stretches may lie on each other
                end = min(_instant(day, closes, zone), until)
                if start < end:
                    yield start, end
                    told = end
            day += timedelta(days=1)

    def is_open(self, at: datetime) -> bool:
        return any(self.stretches(at, at + timedelta(microseconds=1)))

    def worked(self, since: datetime, until: datetime) -> timedelta:
        """How much open time lies in [since, until)."""
        return sum((end - start for start, end in self.stretches(since, until)), timedelta())

    def after(self, since: datetime, working: timedelta) -> datetime:
        """The first moment by which so much open time has passed since `since`, UTC. Never: the end of the HORIZON."""
        left = working
        for start, end in self.stretches(since, since + HORIZON):
            if end - start >= left:
                return start + left
            left -= end - start
        return since + HORIZON


def _instant(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """A local time of a day in UTC. One that a change of clocks skips comes as much later as the clock jumped."""
    if minute >= FULL_DAY:
        day, minute = day + timedelta(days=1), 0
    return datetime.combine(day, time(minute // 60, minute % 60), tzinfo=zone).astimezone(UTC)


def told(hours: Mapping[int, tuple[Stretch, ...]]) -> list[tuple[int, int, tuple[Stretch, ...]]]:
    """The week for readers: runs of weekdays with the same hours, as (first, last, stretches); closed days left out."""
    runs: list[tuple[int, int, tuple[Stretch, ...]]] = []
    for weekday in range(7):
        stretches = tuple(sorted(hours.get(weekday, ())))
        if runs and runs[-1][1] == weekday - 1 and runs[-1][2] == stretches:
            runs[-1] = (runs[-1][0], weekday, stretches)
        else:
            runs.append((weekday, weekday, stretches))
    return [run for run in runs if run[2]]
