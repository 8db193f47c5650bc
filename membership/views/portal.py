"""The portal's first page, which reads like a letter, and the member's own settings."""

from __future__ import annotations

from email.utils import parseaddr
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.utils.translation import gettext, override
from django.views.decorators.http import require_http_methods, require_safe

from membership import clock, panels, standing
from membership.forms import SettingsForm
from membership.standing import Standing
from membership.views.pages import member_of

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest, HttpResponse

    from membership.models import Member, Membership

AWAITS_PAYMENT = (Standing.PENDING, Standing.GRACE)


@login_required
@require_safe
def portal(request: HttpRequest) -> HttpResponse:
    at = clock.now()
    member = member_of(request)
    membership = standing.current_membership(member, at) if member else None
    context: dict[str, Any] = {"member": member, "membership": membership, "contact": _contact(), "state": "none"}
    if member and membership:
        context |= _letter(request, member, membership, at)
    return render(request, "membership/portal.html", context)


def _letter(request: HttpRequest, member: Member, membership: Membership, at: datetime) -> dict[str, Any]:
    state = standing.at(membership, at)
    asked = {"member": member, "membership": membership, "at": at}
    stop = standing.open_stop(membership, at)
    return {
        "state": state.value,
        "state_template": f"membership/standing/{state.value}.html",
        "tier": standing.tier_at(membership, at) or membership.plan.tier,
        "shared": membership.member_id != member.pk,
        "grace_until": standing.grace_until(membership),
        "pause": standing.pause_at(membership, at),
        "stop_source": stop.source if stop else "",
        "carries_a_card": state in standing.HONORED,
        # While a payment is awaited the standing's own words say what to do, with the page's one button.
        "next_panels": "" if state in AWAITS_PAYMENT else panels.render("portal-next", request, **asked),
        "trouble": panels.render("portal-trouble", request, **asked),
        "panels": panels.render("portal", request, **asked),
    }


def _contact() -> str:
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1]


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def own_settings(request: HttpRequest) -> HttpResponse:
    """Name, language and time zone."""
    assert request.user.is_authenticated  # login_required
    form = SettingsForm(request.POST or None, user=request.user, member=member_of(request))
    if request.method == "POST" and form.is_valid():
        form.save()
        with override(form.cleaned_data["language"]):
            messages.success(request, gettext("Saved."))
        return redirect("settings")
    return render(request, "membership/settings.html", {"form": form})
