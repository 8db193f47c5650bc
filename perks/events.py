"""Events as checks and holds see them: how many places are taken, and which one is free.

A check tells what it knows, at most a second old. Who gets the last place is for the database to say, at the hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Count, Q

from membership.errors import DomainError
from perks import slots
from perks.kinds.base import EventDates
from perks.models import LIVE, Event, Redemption

if TYPE_CHECKING:
    from datetime import datetime


class Full(DomainError):
    code = "full"
    message = "Somebody took the last place meanwhile. Ask again."


def bookable(*, at: datetime) -> dict[str, EventDates]:
    """The published events that have not begun, by code, with the places taken at `at`."""
    ahead = list(Event.objects.filter(published=True, starts_at__gt=at))
    if not ahead:
        return {}
    overdue = Q(status=Redemption.Status.HELD, expires_at__lte=at)
    live = Redemption.objects.filter(event__in=[e.code for e in ahead], status__in=LIVE).exclude(overdue)
    taken = dict(live.values_list("event").annotate(places=Count("pk")).order_by())
    return {
        e.code: EventDates(e.code, e.places, taken.get(e.code, 0), e.booking_opens_at, e.booking_closes_at, e.starts_at)
        for e in ahead
    }


def seat(use: Redemption) -> None:
    """Give the use the first place at its event that nobody has, as far as this transaction can see. Raises Full."""
    event = Event.objects.filter(code=use.event).first()
    if event is None:
        raise Full
    slots.expire_overdue(Q(event=use.event), at=use.held_at)
    taken = set(Redemption.objects.filter(event=use.event, status__in=LIVE).values_list("place", flat=True))
    place = next((n for n in range(1, event.places + 1) if n not in taken), None)
    if place is None:
        raise Full
    use.place, use.capacity = place, event.places
