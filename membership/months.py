"""Calendar months of the programme, which reports count by: its home zone's, not each member's own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.conf import settings

from membership import calendar

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True)
class Month:
    """[starts_at, ends_at), as UTC."""

    first_day: date

    def __str__(self) -> str:
        return f"{self.first_day:%Y-%m}"

    @property
    def key(self) -> str:
        """A name for a column of a query."""
        return f"in_{self.first_day:%Y_%m}"

    @property
    def starts_at(self) -> datetime:
        return calendar.day_start(self.first_day, settings.VIP_HOME_ZONE)

    @property
    def ends_at(self) -> datetime:
        return calendar.day_start(_months_on(self.first_day, 1), settings.VIP_HOME_ZONE)


def last(count: int, at: datetime) -> list[Month]:
    """The month of `at` and those before it, `count` in all, the oldest first."""
    this = at.astimezone(ZoneInfo(settings.VIP_HOME_ZONE)).date().replace(day=1)
    return [Month(_months_on(this, -back)) for back in range(count - 1, -1, -1)]


def _months_on(first_day: date, count: int) -> date:
    year, month = divmod(first_day.year * 12 + first_day.month - 1 + count, 12)
    return date(year, month + 1, 1)
