"""What of perks waits for a person: requests to the concierge whose members are owed an answer, by when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from membership.console import queues
from membership.console.queues import Queue, Row
from perks.concierge import desk_hours, queue

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from django.db.models import QuerySet

    from perks.models import ConciergeRequest

queues.register(
    Queue(
        code="concierge-due",
        label=_("Concierge due"),
        about=_("Members who are owed an answer, by when it was promised."),
        empty=_("Everybody who asked has an answer."),
        order=20,
    )
)


def due(at: datetime) -> QuerySet[ConciergeRequest]:
    """By the index `requests_by_due_time`."""
    return queue.waiting().select_related("member__user", "claimed_by").order_by("due_at", "pk")


@queues.source("concierge-due", due)
def owed(rows: Sequence[ConciergeRequest], at: datetime) -> list[Row]:
    week = desk_hours.now()
    return [
        Row(
            member=row.member,
            what=row.subject,
            note=_note(row, str(queue.row(row, at=at, week=week).words)),
            since=row.opened_at,
            due=row.due_at,
            url=reverse("console-concierge-request", args=[row.pk]),
            act=gettext("Open the request"),
        )
        for row in rows
    ]


def _note(request: ConciergeRequest, urgency: str) -> str:
    """How near it is, and in whose hands."""
    if request.claimed_by is None:
        return urgency
    return gettext("%(urgency)s, in hand with %(name)s") % {"urgency": urgency, "name": request.claimed_by.name}
