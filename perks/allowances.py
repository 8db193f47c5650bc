"""Allowances: how often a limited perk may be used, in which period, and when the count starts anew. Pure."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from membership import calendar

Every = Literal["term", "month", "quarter", "year"]
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


class Allowance(BaseModel):
    """`uses` per term, or per calendar month, quarter or year of the member's zone; unused ones may carry over once."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    uses: int = Field(ge=1, le=10_000)
    every: Every = "term"
    carry_over: bool = False


def period(every: Every, at: datetime, zone: str) -> str:
    """The name of the period that `at` lies in, as redemptions and counters keep it: term, 2026-11, 2026-Q4, 2026."""
    if every == "term":
        return "term"
    day = at.astimezone(ZoneInfo(zone))
    if every == "year":
        return f"{day.year}"
    return f"{day.year}-{day.month:02d}" if every == "month" else f"{day.year}-Q{(day.month + 2) // 3}"


def resets_at(every: Every, at: datetime, zone: str) -> datetime | None:
    """The first instant of the next calendar period in `zone`, UTC. None: the count lasts as long as the term."""
    if every == "term":
        return None
    day = at.astimezone(ZoneInfo(zone))
    months = _MONTHS[every]
    first = (day.month - 1) // months * months + months
    return calendar.day_start(date(day.year + first // 12, first % 12 + 1, 1), zone)
