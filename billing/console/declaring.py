"""A declaration from the public pages that waits for a person: read it, say whose it is, or close it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from django import forms
from django.http import Http404
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from billing import declarations, gateway
from billing.console import queues
from billing.models import Declaration
from membership import clock, numbers
from membership.console import steps
from membership.console.access import act, page, staff_of
from membership.errors import DomainError
from membership.models import Member
from membership.roles import Permission
from membership.templatetags import vip

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


class NoSuchMember(DomainError):
    code = "no_such_member"
    status = 422
    message = gettext_noop("No member has this number.")


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("Kept in the audit, and shown to colleagues."),
        max_length=200,
        widget=forms.Textarea({"rows": 2}),
    )


class AssignForm(ReasonForm):
    field_order = ("number", "reason")
    number = forms.CharField(label=_("Member number"), max_length=20)


@page(Permission.SEE)
def show(request: HttpRequest, token: str) -> HttpResponse:
    """Word for word as it arrived, and what it waits for."""
    row, staff = _row(token), staff_of(request)
    waits = declarations.for_staff().filter(pk=row.pk).exists()
    context: dict[str, Any] = {
        "staff": staff,
        "row": row,
        "kind": queues.kind_of(row),
        "why": queues.why(row),
        "can_assign": waits and row.member is None and staff.may(Permission.CARE),
        "can_close": waits and staff.may(Permission.CARE),
    }
    return render(request, "console/declaration.html", context)


@act(Permission.CARE)
def assign(request: HttpRequest, token: str) -> HttpResponse:
    """It is this member's: it is carried out as if it had named them."""
    row, staff = _row(token), staff_of(request)

    def preview(asked: dict[str, Any]) -> list[str]:
        member = _member(asked["number"])
        if row.member_id or row.done_at or not row.parked_reason:
            raise declarations.Closed
        facts = {"name": member.name, "number": numbers.group(member.number), "kind": queues.kind_of(row)}
        return [
            gettext("%(kind)s of %(name)s, %(number)s.") % facts,
            gettext(
                "It counts from %(day)s, when it arrived, and is carried out now, as the member's own page does it."
            )
            % {"day": vip.moment(row.arrived_at)},
            gettext("What came of it is written to %(contact)s.") % {"contact": row.contact},
        ]

    def do(asked: dict[str, Any]) -> None:
        at = clock.now()
        member = _member(asked["number"])
        declarations.assign(row, member=member, actor=staff.actor, reason=asked["reason"], at=at)
        with contextlib.suppress(gateway.StripeUnavailable):
            declarations.carry_out(row.pk, at=at)

    step = _step(row, preview=preview, do=do)(
        title=_("Say whose it is"),
        about=_("Only when you are sure: by a second mail, an order, a call."),
        button=_("It is theirs"),
        done=_("It is theirs, and is being carried out."),
    )
    return steps.take(request, step, AssignForm(request.POST or None), staff=staff)


@act(Permission.CARE)
def close(request: HttpRequest, token: str) -> HttpResponse:
    """It is dealt with, or there is nothing to do."""
    row, staff = _row(token), staff_of(request)

    def preview(_asked: dict[str, Any]) -> list[str]:
        if row.done_at or not row.parked_reason:
            raise declarations.Closed
        return [gettext("It leaves the queue. Nothing else happens, and nobody is written to.")]

    def do(asked: dict[str, Any]) -> None:
        declarations.close(row, actor=staff.actor, reason=asked["reason"], at=clock.now())

    step = _step(row, preview=preview, do=do)(
        title=_("Close it"),
        about=_("When you have dealt with it by hand, or there is nothing to do. Say which."),
        button=_("Close it"),
        done=_("Closed."),
    )
    return steps.take(request, step, ReasonForm(request.POST or None), staff=staff)


def _row(token: str) -> Declaration:
    """Raises Http404."""
    row = Declaration.objects.select_related("member__user").filter(token=token).first()
    if row is None:
        raise Http404
    return row


def _member(number: str) -> Member:
    """Raises NoSuchMember."""
    found = Member.objects.filter(number=numbers.normalize(number)).first()
    if found is None:
        raise NoSuchMember
    return found


def _step(row: Declaration, **verbs: Any) -> Any:
    """A step about this declaration, with the way back to it."""

    def made(**words: Any) -> steps.Step:
        return steps.Step(
            back=reverse("console-declaration", args=[row.token]),
            back_words=gettext("Declaration %(reference)s") % {"reference": row.reference},
            goes_to=reverse("console-queue", args=["declarations"]),
            **verbs,
            **words,
        )

    return made
