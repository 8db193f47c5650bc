"""X-Member-Clock: a shop's developer asks what the answer would be at another moment. With test keys, and of calls that
change nothing; everywhere else the header is refused, never overlooked (perks.auth asks here on every call)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from membership.problems import Problem
from perks import keys

if TYPE_CHECKING:
    from django.http import HttpRequest

HEADER = "HTTP_X_MEMBER_CLOCK"
YEARS = range(2000, 2200)
# For openapi_extra of the routes that take it: declared, not parsed by the framework, so that it costs nobody anything.
DECLARED: dict[str, Any] = {
    "parameters": [
        {
            "in": "header",
            "name": "X-Member-Clock",
            "required": False,
            "schema": {"type": "string", "format": "date-time", "title": "X-Member-Clock"},
            "description": "With test keys: answer as of this moment (2026-12-24T18:00:00Z). Refused in production.",
        }
    ]
}


def asked(request: HttpRequest) -> datetime | None:
    """The moment asked about, UTC; None: the present. Raises problem 422 where it is no moment with a zone."""
    told = request.META.get(HEADER)
    if told is None:
        return None
    try:
        moment = datetime.fromisoformat(told.strip()).astimezone(UTC) if _has_zone(told) else None
    except (ValueError, OverflowError):
        moment = None
    if moment is None or moment.year not in YEARS:
        raise Problem(422, "bad_member_clock", "X-Member-Clock takes a moment such as 2026-12-24T18:00:00Z.")
    return moment


def _has_zone(told: str) -> bool:
    return datetime.fromisoformat(told.strip()).tzinfo is not None


def refuse_unless(*, takes_it: bool) -> None:
    """The header was sent: refuse it with a live key, and where the call does not take it."""
    if keys.mode() == "live":
        raise Problem(403, "member_clock_refused", "X-Member-Clock works with test keys only, never in production.")
    if not takes_it:
        raise Problem(403, "member_clock_refused", "X-Member-Clock works where nothing is changed; not on this call.")
