"""A refund above the limit waits: its second person gives exactly what was asked or declines it; who asked may take the
request back."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from billing import approvals, gateway, refunds
from billing.console.declaring import ReasonForm
from billing.console.refunding import what_becomes
from billing.models import AskedRefund, Refund
from membership import clock, numbers
from membership.console import steps
from membership.console.access import act, staff_of
from membership.console.acts import Act, Case, offer
from membership.roles import Permission
from membership.templatetags import vip

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest, HttpResponse


@offer
class AskNoMore(Act):
    name, order = "take-request-back", 61
    label, button, done = _("Take your refund request back"), _("Take it back"), _("Nobody has to answer it any more.")
    about = _("What you asked a second person to give back. Say why, so that colleagues understand the story.")
    permission = Permission.REFUND

    def fits(self, case: Case) -> bool:
        return _own(case) is not None

    def preview(self, case: Case, asked: dict[str, Any]) -> list[str]:
        own = _own(case)
        if own is None:
            raise approvals.Answered
        amount = vip.money_exact(own.amount, own.currency)
        return [gettext("Your request to give back %(amount)s waits for nobody any more.") % {"amount": amount}]

    def do(self, case: Case, asked: dict[str, Any]) -> None:
        own = _own(case)
        if own is None:
            raise approvals.Answered
        approvals.withdraw(own.pk, by=case.staff, reason=asked["reason"], at=case.at)


def _own(case: Case) -> AskedRefund | None:
    """What this colleague has asked for this membership, and nobody has answered."""
    if case.membership is None:
        return None
    return approvals.waiting(case.at).filter(membership=case.membership, asked_by=case.staff.user_id).first()


@act(Permission.APPROVE, fresh=True)
def approve(request: HttpRequest, pk: int) -> HttpResponse:
    """Both looks; the quote is worked out anew at each, and given only if it is what was asked."""
    asked, staff, at = _asked(pk), staff_of(request), clock.now()

    def preview(_said: dict[str, Any]) -> list[str]:
        _waits(asked, at)
        approvals.check(asked, by=staff)
        quote = approvals.quote_now(asked, at=at)
        if quote.mark != asked.mark:
            raise refunds.QuoteChanged
        amount = vip.money_exact(quote.amount, quote.currency)
        ends = asked.effect != Refund.Effect.MONEY_ONLY
        return [
            gettext("The member gets back %(amount)s, to the card that paid.") % {"amount": amount},
            what_becomes(ends=ends),
            gettext("Your name and that of %(name)s are kept with it.") % {"name": asked.asked_by.staff.name},
        ]

    def do(said: dict[str, Any]) -> None:
        with contextlib.suppress(gateway.StripeUnavailable):  # it is decided, and goes on by itself
            approvals.approve(asked.pk, by=staff, reason=said["reason"], at=at)

    step = _step(
        asked,
        staff.user_id,
        title=_("Approve a refund"),
        about=_("Read who asked for it and why. It is given back once you have confirmed what will happen."),
        button=_("Approve it and give it back"),
        done=_("It is decided, and on its way."),
        other=(gettext("Decline it instead"), reverse("console-decline", args=[asked.pk])),
        preview=preview,
        do=do,
    )
    return steps.take(request, step, ReasonForm(request.POST or None), staff=staff)


@act(Permission.APPROVE, fresh=True)
def decline(request: HttpRequest, pk: int) -> HttpResponse:
    asked, staff, at = _asked(pk), staff_of(request), clock.now()

    def preview(_said: dict[str, Any]) -> list[str]:
        _waits(asked, at)
        approvals.check(asked, by=staff)
        return [gettext("Nothing is given back. Colleagues read your reason in the member's story.")]

    step = _step(
        asked,
        staff.user_id,
        title=_("Decline a refund"),
        about=_("Say why, so that who asked for it knows what to tell the member."),
        button=_("Decline it"),
        done=_("Declined."),
        preview=preview,
        do=lambda said: approvals.decline(asked.pk, by=staff, reason=said["reason"], at=at),
    )
    return steps.take(request, step, ReasonForm(request.POST or None), staff=staff)


def _asked(pk: int) -> AskedRefund:
    """Raises Http404."""
    rows = AskedRefund.objects.select_related("membership__member", "asked_by__staff")
    found = rows.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _waits(asked: AskedRefund, at: datetime) -> None:
    """Raises Answered."""
    if asked.answer or asked.expires_at <= at:
        raise approvals.Answered


def _step(asked: AskedRefund, by: int, **said: Any) -> steps.Step:
    member = asked.membership.member
    facts = {
        "name": asked.asked_by.staff.name,
        "when": vip.moment(asked.asked_at),
        "amount": vip.money_exact(asked.amount, asked.currency),
        "reason": asked.reason,
        "until": vip.moment(asked.expires_at),
    }
    return steps.Step(
        back=reverse("console-member", args=[member.number]),
        back_words=f"{member.name}, {numbers.group(member.number)}",
        goes_to=reverse("console-queue", args=["second-person"]),
        problem=gettext("You asked for this yourself: a colleague has to answer.") if asked.asked_by_id == by else "",
        facts=[
            gettext("%(name)s asked on %(when)s to give back %(amount)s: “%(reason)s”") % facts,
            gettext("It waits until %(until)s.") % facts,
        ],
        **said,
    )
