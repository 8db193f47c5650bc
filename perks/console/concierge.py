"""The concierge's desk: the queue, one request, and what is done with it. Every act is a POST, and audited."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from django.contrib import messages as notes
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from membership import clock, standing
from membership.console import access
from membership.console.access import staff_of
from membership.errors import DomainError
from membership.roles import Permission
from perks.concierge import answering, desk_changes, desk_hours, files, queue
from perks.concierge.pages import allowance
from perks.console.concierge_forms import NoteForm, ReplyForm
from perks.models import ConciergeFile, ConciergeRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from django import forms
    from django.http import HttpRequest, HttpResponse

HOLIDAYS_SHOWN = 3  # the next ones
SHOW = {"": _("All open"), "mine": _("In my hands"), "closed": _("Closed")}


@access.page(Permission.SEE)
def requests(request: HttpRequest) -> HttpResponse:
    """The queue, by when an answer is owed."""
    at, show = clock.now(), request.GET.get("show", "")
    if show == "closed":
        found = queue.closed(at=at)
    else:
        found = queue.rows(at=at, of=staff_of(request) if show == "mine" else None)
    context = {
        "staff": staff_of(request),
        "rows": found,
        "show": show if show in SHOW else "",
        "shows": list(SHOW.items()),
        "hours": desk_hours.words(),
        "zone": desk_hours.other_zone(),
        "is_open": desk_hours.now().is_open(at),
        "holidays": list(desk_changes.current(at).holidays.items())[:HOLIDAYS_SHOWN],
        "sets_hours": staff_of(request).may(Permission.OFFER),
    }
    return render(request, "console/concierge.html", context)


@access.page(Permission.SEE)
def one(request: HttpRequest, pk: int) -> HttpResponse:
    return shown(request, found(pk))


@access.page(Permission.SEE)
def file(request: HttpRequest, pk: int) -> HttpResponse:
    kept = ConciergeFile.objects.filter(pk=pk).first()
    if kept is None:
        raise Http404
    return files.response(kept)


@access.act(Permission.CARE)
def claim(request: HttpRequest, pk: int) -> HttpResponse:
    return _act(request, pk, answering.claim, _("It is in your hands."))


@access.act(Permission.CARE)
def put_back(request: HttpRequest, pk: int) -> HttpResponse:
    return _act(request, pk, answering.put_back, _("Nobody has it in hand now."))


@access.act(Permission.CARE)
def reopen(request: HttpRequest, pk: int) -> HttpResponse:
    return _act(request, pk, answering.reopen, _("It is open again."))


@access.act(Permission.CARE)
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    form = ReplyForm(request.POST if request.method == "POST" else None)
    return _act(request, pk, answering.answer, _("The member has your answer, here and by mail."), form, "reply")


@access.act(Permission.CARE)
def note(request: HttpRequest, pk: int) -> HttpResponse:
    form = NoteForm(request.POST if request.method == "POST" else None)
    return _act(request, pk, answering.note, _("Noted, for colleagues only."), form, "note")


def _act(
    request: HttpRequest,
    pk: int,
    verb: Callable[..., None],
    done: Any,
    form: forms.Form | None = None,
    name: str = "",
) -> HttpResponse:
    """Do it, and back to the request; a refusal or a gap in the form is told there, and what was typed is kept."""
    about = found(pk)
    if request.method != "POST":
        return shown(request, about)
    typed: dict[str, Any] = {name: form} if form is not None else {}
    if form is not None and not form.is_valid():
        return shown(request, about, status=422, **typed)
    try:
        said = form.cleaned_data if form is not None else {}
        verb(request=about, staff=staff_of(request), at=clock.now(), **said)
    except DomainError as refusal:
        return shown(request, found(pk), problem=gettext(str(refusal)), status=refusal.status, **typed)
    notes.success(request, str(done))
    return redirect("console-concierge-request", pk=pk)


def found(pk: int) -> ConciergeRequest:
    """Raises Http404."""
    related = ConciergeRequest.objects.select_related("member__user", "claimed_by", "use__grant__perk")
    request = related.filter(pk=pk).first()
    if request is None:
        raise Http404
    return request


def shown(
    request: HttpRequest, about: ConciergeRequest, *, problem: str = "", status: int = 200, **forms_: Any
) -> HttpResponse:
    """The request's page, with forms as they were typed."""
    at = clock.now()
    membership = standing.current_membership(about.member, at)
    now = standing.at(membership, at) if membership else None
    context = {
        "staff": staff_of(request),
        "acts": staff_of(request).may(Permission.CARE),
        "about": about,
        "member": about.member,
        "row": queue.row(about, at=at, week=desk_hours.now()),
        "entries": about.entries.select_related("staff", "file").defer("file__content"),
        "reply": forms_.get("reply") or ReplyForm(initial={"once": secrets.token_hex(8)}),
        "note": forms_.get("note") or NoteForm(),
        "problem": problem,
        "standing": now.value if now else "none",
        "honored": now in standing.HONORED,
        "tier": standing.tier_at(membership, at) if membership else None,
        "allowance": allowance(about.member, at),
        "status": about.use.status,
    }
    return render(request, "console/concierge_request.html", context, status=status)
