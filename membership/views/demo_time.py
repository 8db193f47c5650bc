"""The demo's clock: the bar on top of each page moves it here. Only a demo has this route."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import HttpResponseRedirect, JsonResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from membership import calendar, clock, moments, standing, time_travel
from membership.errors import DomainError
from membership.models import Message
from membership.templatetags.vip import moment
from membership.views.pages import member_of, way_back

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest, HttpResponse

    from membership.time_travel import Journey


@require_http_methods(["GET", "HEAD", "POST"])
def time(request: HttpRequest) -> HttpResponse:
    """POST `by` = day, month or renewal: move, then back to where the reader was. GET: what time it is, for the bar."""
    if request.method != "POST":
        return JsonResponse({"time": moment(clock.now()), "moving": time_travel.moving() is not None})
    _move(request)
    return HttpResponseRedirect(way_back(request))


def _move(request: HttpRequest) -> None:
    """Move the clock and tell what came of it, or why it could not be."""
    to = _destination(request, clock.now())
    if to is None:
        messages.warning(request, _("No renewal is awaited by anybody here, so there is none to go to."))
        return
    try:
        journey = time_travel.move(to=to)
    except time_travel.AlreadyMoving as refusal:
        messages.warning(request, str(refusal))
    except DomainError as refusal:
        messages.error(request, str(refusal))
    else:
        _tell(request, journey)


def _destination(request: HttpRequest, at: datetime) -> datetime | None:
    """Where `by` leads from `at`: a renewal of whoever is logged in, else the next one in the house."""
    match request.POST.get("by"):
        case "renewal":
            member = member_of(request)
            own = standing.current_membership(member, at) if member else None
            mine = moments.next_renewal(membership=own, at=at) if own else None
            return mine or moments.next_renewal(membership=None, at=at)
        case "month":
            return calendar.anniversary(at, "month", 1)
        case _:
            return calendar.anniversary(at, "day", 1)


def _tell(request: HttpRequest, journey: Journey) -> None:
    letters = Message.objects.filter(written_at__gt=journey.started_at, written_at__lte=journey.arrived_at).count()
    arrived = _("Here it is %(time)s now.") % {"time": moment(journey.arrived_at)}
    posted = ngettext("On the way %(count)s letter was written.", "On the way %(count)s letters were written.", letters)
    messages.success(request, f"{arrived} {posted % {'count': letters}}" if letters else arrived)
    if journey.failed:
        names = ", ".join(sorted(journey.failed))
        messages.error(request, _("Some work failed on the way and will be tried again: %(names)s.") % {"names": names})
