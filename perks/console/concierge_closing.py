"""Closing a request: what it came to, read in words and money first, then exactly that."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from django.contrib import messages as notes
from django.shortcuts import redirect, render
from django.utils.translation import get_language, gettext, ngettext

from membership import audit, clock, money
from membership.console import access
from membership.console.access import staff_of
from membership.errors import DomainError
from membership.roles import Permission
from perks.concierge import answering
from perks.concierge.answering import Outcome
from perks.concierge.pages import allowance
from perks.console.concierge import found, shown
from perks.console.concierge_forms import CloseForm
from perks.models import Redemption

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from perks.models import ConciergeRequest


@access.act(Permission.CARE)
def close(request: HttpRequest, pk: int) -> HttpResponse:
    about = found(pk)
    form = CloseForm(request.POST or None, use=about.use, may_count=answering.may_count(about))
    if request.method != "POST":
        return _page(request, about, form)
    if not form.is_valid():
        return _page(request, about, form, status=422)
    sent = form.cleaned_data
    outcome = Outcome(sent["counts"], sent["worth"], sent["cost"], sent["words"])
    lines = preview(about, outcome)
    mark = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32]
    confirmed = request.POST.get("confirmed", "")
    if confirmed != mark:
        problem = gettext("Something has changed since you looked. This is what would happen now.") if confirmed else ""
        return _page(request, about, form, lines=lines, mark=mark, problem=problem, status=409 if problem else 200)
    try:
        with audit.because(outcome.words):
            answering.close(request=about, staff=staff_of(request), outcome=outcome, at=clock.now())
    except DomainError as refusal:
        return shown(request, found(pk), problem=gettext(str(refusal)), status=refusal.status)
    notes.success(request, gettext("It is closed."))
    return redirect("console-concierge-request", pk=pk)


def preview(about: ConciergeRequest, outcome: Outcome) -> list[str]:
    """What will happen, in words and money."""
    counted = about.use.status == Redemption.Status.COMMITTED
    lines = [gettext("The request is closed, and the member is told by mail. Their answer within 30 days reopens it.")]
    if about.due_at is not None:
        lines.append(gettext("The member still waits for an answer, and will get none."))
    if not outcome.counts:
        lines.append(gettext("It takes nothing of the member's allowance, and counts for nothing in the ledger."))
        return lines
    left = allowance(about.member, clock.now())
    if counted:
        lines.append(gettext("It has counted once before, and does not count again; its value is told anew."))
    elif left is not None:
        words = ngettext(
            "It counts as one request; %(left)s is left.", "It counts as one request; %(left)s are left.", left.left
        )
        lines.append(words % {"left": left.left})
    facts = {"worth": _told(outcome.worth, about), "cost": _told(outcome.cost, about)}
    lines.append(gettext("In the ledger: worth %(worth)s to the member, cost %(cost)s to us.") % facts)
    return lines


def _told(amount: int, about: ConciergeRequest) -> str:
    return money.text(amount, about.use.currency, get_language() or "en")


def _page(
    request: HttpRequest,
    about: ConciergeRequest,
    form: CloseForm,
    *,
    lines: list[str] | None = None,
    mark: str = "",
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {"staff": staff_of(request), "about": about, "member": about.member, "form": form}
    context |= {"lines": lines, "mark": mark, "problem": problem}
    return render(request, "console/concierge_close.html", context, status=status)
