"""Events for staff: who has a seat, who waits, in order. Booking and giving back are acts on the member's page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.http import Http404
from django.shortcuts import render

from membership import clock
from membership.console import access
from membership.console.access import staff_of
from membership.roles import Permission
from perks import seats
from perks.models import Event

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@dataclass(frozen=True)
class EventRow:
    event: Event
    taken: int
    waiting: int


@access.page(Permission.SEE)
def events(request: HttpRequest) -> HttpResponse:
    """Those ahead first, then the latest that are over."""
    at = clock.now()
    ahead = Event.objects.filter(starts_at__gt=at).order_by("starts_at", "code")
    over = Event.objects.filter(starts_at__lte=at).order_by("-starts_at", "code")[:20]
    rows = [EventRow(e, seats.seated(e).count(), seats.waiting(e).count()) for e in (*ahead, *over)]
    return render(request, "console/events.html", {"staff": staff_of(request), "rows": rows, "at": at})


@access.page(Permission.SEE)
def event(request: HttpRequest, code: str) -> HttpResponse:
    found = Event.objects.filter(code=code).first()
    if found is None:
        raise Http404
    context = {
        "staff": staff_of(request),
        "event": found,
        "seated": seats.seated(found),
        "waiting": seats.waiting(found),
        "acts": staff_of(request).may(Permission.CARE),
    }
    return render(request, "console/event.html", context)
