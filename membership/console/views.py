"""Today or, with a question in the box, who is found; one member's page."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.shortcuts import redirect, render
from django.urls import reverse

from membership import clock, panels, search, standing, stories
from membership.console import acts, today
from membership.console.access import page, staff_of
from membership.roles import Permission

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@page(Permission.SEE)
def find(request: HttpRequest) -> HttpResponse:
    """The one box. Who is found alone and exactly is opened at once: a scanned card, a pasted address."""
    asked = request.GET.get("q", "").strip()[:254]
    if not asked:
        return today.front(request)
    found = search.find(asked)
    if len(found) == 1 and found[0].exactly:
        return redirect(found[0].address or reverse("console-member", args=[found[0].member.number]))
    speak = standing.who_speak([one.member for one in found], clock.now())
    rows = [{"found": one, "speaks": speak.get(one.member.pk)} for one in found]
    context = {"q": asked, "rows": rows, "full": len(found) == search.SHOWN, "staff": staff_of(request)}
    return render(request, "console/find.html", context)


@page(Permission.SEE)
def member(request: HttpRequest, number: int) -> HttpResponse:
    """Everything about one member: what can be done, the story, the facts."""
    found = acts.member_by(number)
    at = clock.now()
    own = standing.own_membership(found)
    held = standing.speaking(found, own, at)
    asked: dict[str, Any] = {"member": found, "membership": own, "at": at}
    group = request.GET.get("show", "")
    context = {
        **asked,
        "staff": staff_of(request),
        "standing": standing.at(own, at).value if own else "none",
        "seat": held if held is not None and held.member_id != found.pk else None,
        "tier": (standing.tier_at(own, at) or own.plan.tier) if own else None,
        "grace_until": standing.grace_until(own) if own else None,
        "stops": [stop for stop in own.stops.all() if stop.lifted_at is None] if own else [],
        "acts": acts.offered(staff_of(request), found, own, at),
        "facts": panels.render("console-member", request, **asked),
        "story": stories.of(found, group=group, before=_moment(request.GET.get("before", ""))),
        "groups": [(key, words) for key, words in stories.GROUPS.items()],
        "show": group if group in stories.GROUPS else "",
        "same": urlencode({"show": group}) if group in stories.GROUPS else "",
    }
    return render(request, "console/member.html", context)


def _moment(text: str) -> datetime | None:
    """Where an older page begins; what is no moment is the newest."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
