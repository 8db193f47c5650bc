"""Events as checks and holds see them: how many places are taken, and which one is free.

A check tells what it knows, at most a second old. Who gets the last place is for the database to say, at the hold.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from django.db.models import Count, Q

from membership.errors import DomainError
from perks import slots
from perks.kinds.base import EventDates
from perks.models import LIVE, Event, Redemption, WaitingPlace

if TYPE_CHECKING:
    from datetime import datetime


class Full(DomainError):
    code = "full"
    message = "Somebody took the last place meanwhile. Ask again."


def bookable(*, at: datetime, waited: bool = False) -> dict[str, EventDates]:
    """The published events that have not begun, by code, with the places taken at `at`. A place that is free while
    somebody waits is theirs: it is told as taken, but to who stands first on the list (`waited`)."""
    ahead = list(Event.objects.filter(published=True, starts_at__gt=at))
    if not ahead:
        return {}
    overdue = Q(status=Redemption.Status.HELD, expires_at__lte=at)
    live = Redemption.objects.filter(event__in=[e.code for e in ahead], status__in=LIVE).exclude(overdue)
    taken = Counter(dict(live.values_list("event").annotate(places=Count("pk")).order_by()))
    if not waited:
        waiting = WaitingPlace.objects.filter(event__in=ahead, status=WaitingPlace.Status.WAITING)
        taken.update(dict(waiting.values_list("event__code").annotate(people=Count("pk")).order_by()))
    return {
        e.code: EventDates(
            e.code, e.places, min(taken[e.code], e.places), e.booking_opens_at, e.booking_closes_at, e.starts_at
        )
        for e in ahead
    }


def seat(use: Redemption, *, waited: bool = False) -> None:
    """Give the use the first place at its event that nobody has, as far as this transaction can see; none that is kept
    for who waits, but to who stands first on the list (`waited`). Raises Full."""
    event = Event.objects.filter(code=use.event).first()
    if event is None:
        raise Full
    slots.expire_overdue(Q(event=use.event), at=use.held_at)
    taken = set(Redemption.objects.filter(event=use.event, status__in=LIVE).values_list("place", flat=True))
    free = [n for n in range(1, event.places + 1) if n not in taken]
    kept = 0 if waited else event.waiting.filter(status=WaitingPlace.Status.WAITING).count()
    if len(free) <= kept:
        raise Full
    place = free[0]
    use.place, use.capacity = place, event.places
