"""Billing periods: always the anchor plus n intervals, clamped, never from the last date. Unix seconds, UTC."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta


def after(anchor: int, interval: str, count: int) -> int:
    """The moment `count` intervals after the anchor: 31 January plus a month is 28 or 29 February."""
    start = datetime.fromtimestamp(anchor, UTC)
    if interval in {"day", "week"}:
        return int((start + timedelta(days=count * (7 if interval == "week" else 1))).timestamp())
    months = start.month - 1 + count * (12 if interval == "year" else 1)
    year, month = start.year + months // 12, months % 12 + 1
    day = min(start.day, calendar.monthrange(year, month)[1])
    return int(start.replace(year=year, month=month, day=day).timestamp())


SECONDS = {"day": 86_400, "week": 7 * 86_400, "month": 28 * 86_400, "year": 365 * 86_400}


def first_after(moment: int, anchor: int, interval: str, count: int) -> int:
    """The first boundary after `moment` of the periods that this anchor lays out, before it and behind it.

    The anchor lays them all out, however many there are: 31 January, 28 February, 31 March.
    """
    n = (moment - anchor) // (SECONDS[interval] * count)  # near it; months and years differ in length
    while after(anchor, interval, n * count) <= moment:
        n += 1
    while after(anchor, interval, (n - 1) * count) > moment:
        n -= 1
    return after(anchor, interval, n * count)
