"""The queue as staff see it: open requests by when an answer is owed, and how near that is, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db.models import F
from django.utils.translation import gettext_lazy as _

from perks.concierge import desk_hours
from perks.models import ConciergeRequest

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet
    from django.utils.functional import _StrPromise as Words

    from membership.models import Staff
    from perks.concierge.working_time import WorkingTime

SOON = timedelta(hours=1)  # of working time left
SHOWN = 200
URGENCY: dict[str, Words] = {
    "overdue": _("overdue"),
    "urgent": _("urgent"),
    "due": _("due"),
    "answered": _("answered, the member may write"),
    "closed": _("closed"),
}


@dataclass(frozen=True)
class Row:
    """`left`: working time until the answer is owed; negative: since it was. None: nobody waits."""

    request: ConciergeRequest
    urgency: str
    left: timedelta | None

    @property
    def words(self) -> Words:
        return URGENCY[self.urgency]

    @property
    def hours(self) -> int:
        return int(abs(self.left).total_seconds() // 3600) if self.left is not None else 0

    @property
    def minutes(self) -> int:
        return int(abs(self.left).total_seconds() // 60) % 60 if self.left is not None else 0


def waiting() -> QuerySet[ConciergeRequest]:
    """Requests whose members are owed an answer."""
    return ConciergeRequest.objects.filter(closed_at=None, due_at__isnull=False)


def rows(*, at: datetime, of: Staff | None = None) -> list[Row]:
    """Open requests: those owed an answer by due time, then those that wait for their member. `of`: in whose hands."""
    found = ConciergeRequest.objects.filter(closed_at=None).order_by(F("due_at").asc(nulls_last=True), "pk")
    if of is not None:
        found = found.filter(claimed_by=of)
    week = desk_hours.now()
    return [row(one, at=at, week=week) for one in found.select_related("member__user", "claimed_by")[:SHOWN]]


def closed(*, at: datetime) -> list[Row]:
    """The latest that were closed."""
    found = ConciergeRequest.objects.exclude(closed_at=None).order_by("-closed_at", "-pk")
    return [row(one, at=at, week=desk_hours.now()) for one in found.select_related("member__user", "claimed_by")[:50]]


def row(request: ConciergeRequest, *, at: datetime, week: WorkingTime) -> Row:
    if request.closed_at is not None:
        return Row(request, "closed", None)
    if request.due_at is None:
        return Row(request, "answered", None)
    if request.due_at <= at:
        return Row(request, "overdue", -week.worked(request.due_at, at))
    left = week.worked(at, request.due_at)
    return Row(request, "urgent" if left <= SOON else "due", left)
