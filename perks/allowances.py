"""Allowances: how often a limited perk may be used, in which period, and when the count starts anew. Pure."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy, ngettext
from pydantic import BaseModel, ConfigDict, Field

from membership import calendar
from perks.shown import Better, Shown

if TYPE_CHECKING:
    from collections.abc import Mapping

Every = Literal["term", "month", "quarter", "year"]
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


class Allowance(BaseModel):
    """`uses` per term, or per calendar month, quarter or year of the member's zone; unused ones may carry over once."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    uses: Annotated[
        int,
        Shown(gettext_lazy("Uses"), gettext_lazy("In each period. Empty: as often as they like."), Better.MORE),
    ] = Field(ge=1, le=10_000)
    every: Annotated[
        Every,
        Shown(
            gettext_lazy("Period"),
            choices={
                "term": gettext_lazy("Each term of the membership"),
                "month": gettext_lazy("Calendar month"),
                "quarter": gettext_lazy("Calendar quarter"),
                "year": gettext_lazy("Calendar year"),
            },
        ),
    ] = "term"
    carry_over: Annotated[
        bool,
        Shown(
            gettext_lazy("Unused ones carry over"),
            gettext_lazy("Into the next period, once. Not from term to term."),
            Better.MORE,
        ),
    ] = False


def period(every: Every, at: datetime, zone: str) -> str:
    """The name of the period that `at` lies in, as redemptions and counters keep it: term, 2026-11, 2026-Q4, 2026."""
    if every == "term":
        return "term"
    day = at.astimezone(ZoneInfo(zone))
    if every == "year":
        return f"{day.year}"
    return f"{day.year}-{day.month:02d}" if every == "month" else f"{day.year}-Q{(day.month + 2) // 3}"


def starts_at(every: Every, at: datetime, zone: str) -> datetime | None:
    """The first instant of the calendar period that `at` lies in, UTC. None: the period is the term."""
    return None if every == "term" else _first(every, at, zone, 0)


def resets_at(every: Every, at: datetime, zone: str) -> datetime | None:
    """The first instant of the next calendar period in `zone`, UTC. None: the count lasts as long as the term."""
    return None if every == "term" else _first(every, at, zone, 1)


def _first(every: Every, at: datetime, zone: str, later: int) -> datetime:
    day = at.astimezone(ZoneInfo(zone))
    months = _MONTHS[every]
    first = (day.month - 1) // months * months + later * months
    return calendar.day_start(date(day.year + first // 12, first % 12 + 1, 1), zone)


def carried(allowance: Allowance, used: Mapping[str, int], since: datetime, at: datetime, zone: str) -> int:
    """How many uses come over from the period before the one of `at`: its own that were left, if the perk was held
    then already (`since`). Those that had been carried into it are used first, and are gone with it."""
    start = starts_at(allowance.every, at, zone)
    if not allowance.carry_over or start is None or start <= since:
        return 0
    before = start - timedelta(microseconds=1)
    spent = used.get(period(allowance.every, before, zone), 0)
    if not spent:
        return allowance.uses
    of_its_own = max(0, spent - carried(allowance, used, since, before, zone))
    return max(0, allowance.uses - of_its_own)


def words(allowance: Allowance) -> str:
    """How often, for the plans page: "2 times a quarter"."""
    filled = {"uses": allowance.uses}
    match allowance.every:
        case "month":
            return ngettext("once a month", "%(uses)s times a month", allowance.uses) % filled
        case "quarter":
            return ngettext("once a quarter", "%(uses)s times a quarter", allowance.uses) % filled
        case "year":
            return ngettext("once a calendar year", "%(uses)s times a calendar year", allowance.uses) % filled
        case "term":
            return (
                ngettext("once in each membership period", "%(uses)s times in each membership period", allowance.uses)
                % filled
            )
