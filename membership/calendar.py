"""Anniversaries and periods: pure functions, no clock, no database. lifecycle.py and perks stand on them.

Every end is counted from an anchor, never from the last end: a 29 February anchor bills on 28 February in common
years and returns to the 29th in leap years (Stripe: "anchor 31 Jan bills 28/29 Feb, 31 Mar, 30 Apr").
"""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

Interval = Literal["day", "month", "year"]


def anniversary(anchor: datetime, interval: Interval, count: int) -> datetime:
    """`anchor` plus `count` intervals, clamped to the last day of the month, at the anchor's time of day in UTC.

    Terms tile at Stripe's instants, and Stripe counts in UTC; hence no zone here.
    """
    anchor = anchor.astimezone(UTC)
    if interval == "day":
        return anchor + timedelta(days=count)
    months = anchor.year * 12 + anchor.month - 1 + count * (12 if interval == "year" else 1)
    year, month = divmod(months, 12)
    last_day = calendar.monthrange(year, month + 1)[1]
    return anchor.replace(year=year, month=month + 1, day=min(anchor.day, last_day))


def midnight_after(moment: datetime, zone: str) -> datetime:
    """The first local midnight after `moment` in the IANA `zone`, as UTC: the exclusive end of that local day.

    Where a change of clocks skips midnight, the day's first instant counts.
    """
    tz = ZoneInfo(zone)
    next_day = moment.astimezone(tz).date() + timedelta(days=1)
    return day_start(next_day, zone)


def day_start(day: date, zone: str) -> datetime:
    """The first instant of a local day, as UTC."""
    return datetime.combine(day, time(), tzinfo=ZoneInfo(zone)).astimezone(UTC)


def last_day(until: datetime, zone: str) -> date:
    """The local date to print for an exclusive end: "valid until" names the last day that counts."""
    return (until - timedelta(microseconds=1)).astimezone(ZoneInfo(zone)).date()
