"""Today: what waits for a person. The front page of the console, and a page a queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import Http404
from django.shortcuts import render

from membership import clock
from membership.console import queues
from membership.console.access import not_theirs, page, staff_of
from membership.roles import Permission

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


def front(request: HttpRequest) -> HttpResponse:
    """All queues with what they are for. The bar counts them once for both."""
    staff = staff_of(request)
    context = {"staff": staff, "today": queues.counted(staff, clock.now())}
    return render(request, "console/today.html", context)


@page(Permission.SEE)
def queue(request: HttpRequest, code: str) -> HttpResponse:
    """One queue, the oldest first."""
    staff, at = staff_of(request), clock.now()
    found = queues.named(code)
    if found is None:
        raise Http404
    if not staff.may(found.permission):
        return not_theirs(request, staff, found.permission)
    rows = found.rows(at)
    context = {"staff": staff, "queue": found, "rows": rows, "full": len(rows) == queues.MOST, "at": at}
    return render(request, "console/queue.html", context)
