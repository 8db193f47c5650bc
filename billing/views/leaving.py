"""Cancel, and stay after all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages as notes
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from billing import gateway, leaving
from billing.views.guards import member_required, own_running
from membership import clock, lifecycle

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@member_required
@require_http_methods(["GET", "POST"])
def cancel(request: HttpRequest) -> HttpResponse:
    """One page: what canceling means in money and days, and the button."""
    membership = own_running(request)
    if membership is None or not membership.renewal_expected:
        return redirect("portal")
    if request.method == "POST":
        try:
            leaving.cancel(membership=membership, at=clock.now(), actor=f"member:{membership.member_id}")
        except (gateway.StripeUnavailable, gateway.StripeRefused) as refusal:
            return render(request, "billing/cancel.html", {"membership": membership, "problem": refusal}, status=503)
        notes.success(request, _("Canceled. Nothing more will be charged."))
        return redirect("portal")
    return render(request, "billing/cancel.html", {"membership": membership})


@member_required
@require_http_methods(["GET", "POST"])
def stay(request: HttpRequest) -> HttpResponse:
    """Take a cancellation back. Who had to log in on the way comes by GET, to the portal with its button."""
    membership = own_running(request)
    if request.method == "POST" and membership is not None and membership.canceled_at is not None:
        try:
            leaving.stay(membership=membership, at=clock.now(), actor=f"member:{membership.member_id}")
            notes.success(request, _("Good to have you. Your membership renews as before."))
        except (gateway.StripeUnavailable, gateway.StripeRefused, lifecycle.NotPossible) as refusal:
            notes.error(request, _(str(refusal)))
    return redirect("portal")
