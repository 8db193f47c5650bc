"""What was ever mailed to a member, for that member to read again. Staff see the same on the member's story."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from membership.messages import ONE_TIME, WITHDRAWN
from membership.models import Message
from membership.views.pages import member_of

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

    from membership.models import Member

A_PAGE = 50


def sent_to(member: Member | None) -> QuerySet[Message]:
    """The newest first: what went out. Not what still waits, nor what was overtaken before it was sent."""
    if member is None:
        return Message.objects.none()
    return member.messages.exclude(done_at=None).exclude(parked_reason=WITHDRAWN)


@login_required
@require_safe
def mails(request: HttpRequest) -> HttpResponse:
    found = sent_to(member_of(request)).defer("text", "html")
    shown = Paginator(found, A_PAGE).get_page(request.GET.get("page"))
    return render(request, "membership/mails.html", {"shown": shown, "one_time": ONE_TIME})


@login_required
@require_safe
def mail(request: HttpRequest, pk: int) -> HttpResponse:
    """One mail as it was written. A code is never told again: who reads over a shoulder could use it."""
    message = get_object_or_404(sent_to(member_of(request)), pk=pk)
    return render(request, "membership/mail.html", {"message": message, "hidden": message.kind in ONE_TIME})
