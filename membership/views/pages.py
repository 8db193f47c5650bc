"""Pages for everybody: home, the plans side by side, the choice of language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import Prefetch
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from membership import clock, panels, standing
from membership.models import Member, Plan, Price, Tier, User
from membership.standing import Standing

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest, HttpResponse
    from django.utils.safestring import SafeString

    from membership.models import Membership

FIRST_CURRENCY = "EUR"


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A published plan at today's price."""

    plan: Plan
    price: Price


@dataclass(frozen=True, kw_only=True)
class TierColumn:
    """One column of the plans page: a tier, what it costs and what it holds."""

    tier: Tier
    offers: list[Offer]
    perks: SafeString


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    currency = _currency(request)
    cheapest = [min(offers, key=lambda o: o.price.amount) for _, offers in _offers(currency)]
    return render(request, "membership/home.html", {"offers": cheapest, "mine": _mine(request, clock.now())})


@require_safe
def plans(request: HttpRequest) -> HttpResponse:
    """Tiers side by side in the visitor's currency; who has a membership sees that instead of buttons."""
    currency = _currency(request)
    columns = [
        TierColumn(tier=tier, offers=offers, perks=panels.render("plan-card", request, plan=offers[0].plan))
        for tier, offers in _offers(currency)
    ]
    context = {
        "columns": columns,
        "currency": currency,
        "currencies": _currencies(),
        "mine": _mine(request, clock.now()),
    }
    return render(request, "membership/plans.html", context)


def _live_prices() -> Any:
    return Price.objects.filter(retired_at=None, plan__published=True)


def _currencies() -> list[str]:
    found = set(_live_prices().values_list("currency", flat=True))
    return sorted(found, key=lambda code: (code != FIRST_CURRENCY, code))


def _currency(request: HttpRequest) -> str:
    """The currency asked for, or the first there is: a made-up one is no error, only not offered."""
    offered = _currencies()
    asked = request.GET.get("currency", "").upper()
    return asked if asked in offered else (offered or [FIRST_CURRENCY])[0]


def _offers(currency: str) -> list[tuple[Tier, list[Offer]]]:
    """Every tier that can be bought in `currency`, lowest first, with its plans."""
    prices = Prefetch("prices", Price.objects.filter(retired_at=None, currency=currency), to_attr="offered")
    found: dict[Tier, list[Offer]] = {}
    for plan in Plan.objects.filter(published=True).select_related("tier").prefetch_related(prices):
        for price in plan.offered:
            found.setdefault(plan.tier, []).append(Offer(plan=plan, price=price))
    return list(found.items())


def _mine(request: HttpRequest, at: datetime) -> dict[str, Any] | None:
    """What the visitor already has: None, a place that waits for payment, a tier, or a number from an earlier stay."""
    member = member_of(request)
    membership = standing.current_membership(member, at) if member else None
    if membership is None:
        return None
    now = standing.at(membership, at)
    if now == Standing.PENDING:
        return {"pending": True, "membership": membership, "plan": membership.plan}
    return _held(membership, at) if now in standing.HELD else {"returning": True, "member": member}


def _held(membership: Membership, at: datetime) -> dict[str, Any]:
    return {
        "held": True,
        "membership": membership,
        "plan": standing.plan_at(membership, at),
        "tier": standing.tier_at(membership, at),
    }


def member_of(request: HttpRequest) -> Member | None:
    """The person on the roll behind the session; None for visitors and for accounts that are not on it."""
    if not request.user.is_authenticated:
        return None
    return Member.objects.select_related("user").filter(user_id=request.user.pk).first()


@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Remember the language in a cookie and, for an account, in its settings; then back to where the reader was."""
    language = request.POST.get("language", "")
    response = HttpResponseRedirect(way_back(request))
    if language in dict(settings.LANGUAGES):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            language,
            max_age=365 * 24 * 3600,
            secure=settings.LANGUAGE_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
        if request.user.is_authenticated:
            User.objects.filter(pk=request.user.pk).update(language=language)
    return response


def way_back(request: HttpRequest) -> str:
    """The address that a form names as `next`, or where it stood; the home page for any that is not ours."""
    asked = request.POST.get("next") or request.headers.get("Referer", "")
    here = {request.get_host()}
    safe = url_has_allowed_host_and_scheme(asked, allowed_hosts=here, require_https=request.is_secure())
    return asked if asked and safe else "/"
