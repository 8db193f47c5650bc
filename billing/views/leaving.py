"""Cancel, and stay after all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages as notes
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from billing import farewell, gateway, leaving, outlook, refund_policy, refund_quotes
from billing.outlook import Kind
from billing.views.guards import member_of, member_required
from membership import clock, lifecycle, standing
from membership.errors import DomainError

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@member_required
@require_http_methods(["GET", "POST"])
def cancel(request: HttpRequest) -> HttpResponse:
    """One page: what canceling means in money and days, and the button."""
    ahead = outlook.of(member_of(request), at=clock.now())
    if ahead.kind == Kind.NONE:
        return redirect("portal")
    if request.method == "GET" or not (ahead.can_cancel or ahead.kind == Kind.CANCELED):
        return _page(request)
    try:
        _cancel(request, ahead)
    except farewell.Changed as changed:
        return _page(request, changed)
    except (gateway.StripeUnavailable, gateway.StripeRefused, lifecycle.NotPossible) as problem:
        return _page(request, problem)
    notes.success(request, _done(ahead))
    return redirect("portal")


def _cancel(request: HttpRequest, ahead: outlook.Outlook) -> None:
    assert ahead.membership is not None
    leaving.cancel(
        membership=ahead.membership,
        at=clock.now(),
        actor=f"member:{ahead.membership.member_id}",
        promised=request.POST.get("promised", ""),
    )


def _done(ahead: outlook.Outlook) -> str:
    if ahead.kind == Kind.PLACE:
        return _("Your place is free again. Nothing was charged.")
    return _("Canceled. Nothing more will be charged.")


def _page(request: HttpRequest, problem: DomainError | None = None) -> HttpResponse:
    """The page for how things stand now; above it what went wrong, if something did."""
    ahead = outlook.of(member_of(request), at=clock.now())
    context = {
        "ahead": ahead,
        "membership": ahead.membership,
        "words": f"billing/leaving/{ahead.kind.value}.html",
        "problem": problem.code if problem else "",
        "quote": _money_back(ahead),
    }
    return render(request, "billing/cancel.html", context, status=problem.status if problem else 200)


def _money_back(ahead: outlook.Outlook) -> refund_policy.Quote | None:
    """What would be given back for ending it at once instead, where the law or the house gives anything."""
    if ahead.membership is None or ahead.kind in {Kind.SHARED, Kind.NONE}:
        return None
    return refund_quotes.offers(membership=ahead.membership, at=clock.now())


@member_required
@require_http_methods(["GET", "POST"])
def stay(request: HttpRequest) -> HttpResponse:
    """Take a cancellation back. Who had to log in on the way comes by GET, to the portal with its button."""
    membership = standing.own_membership(member_of(request))
    if request.method == "POST" and membership is not None and membership.canceled_at is not None:
        try:
            leaving.stay(membership=membership, at=clock.now(), actor=f"member:{membership.member_id}")
            notes.success(request, _("Good to have you. Your membership renews as before."))
        except (gateway.StripeUnavailable, gateway.StripeRefused) as refusal:
            notes.error(request, _(str(refusal)))
        except lifecycle.NotPossible:
            notes.error(request, _("It cannot be renewed any more. You can join again as soon as it has ended."))
    return redirect("portal")
