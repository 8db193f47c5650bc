"""Change the plan: choose, see what it costs, confirm; or let the next renewal buy less."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.contrib import messages as notes
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from billing import gateway, next_charge, plan_change, plan_offers, plan_quotes
from billing.checkout import Agreement
from billing.forms import TERMS_VERSION
from billing.models import PlanQuote
from billing.views.guards import member_of, member_required
from membership import clock, limits, money, standing
from membership.errors import DomainError
from membership.standing import Standing
from membership.templatetags.vip import day
from perks import comparison

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from membership.models import Membership

NOTHING_DONE = (
    plan_change.ChangeUnderWay,
    plan_offers.NoChangeNow,
    gateway.StripeUnavailable,
    gateway.StripeRefused,
)


def _own_running(request: HttpRequest) -> Membership | None:
    """The visitor's own membership while its paid term runs."""
    membership = standing.own_membership(member_of(request))
    running = membership is not None and standing.at(membership, clock.now()) == Standing.CURRENT
    return membership if running else None


@member_required
@require_GET
def choose(request: HttpRequest) -> HttpResponse:
    """The other plans: what can be held now, what from the next renewal."""
    membership, at = _own_running(request), clock.now()
    if membership is None:
        return _not_now(request)
    try:
        found = plan_offers.options(membership=membership, at=at)
    except plan_offers.NoChangeNow as reason:
        return _not_now(request, reason)
    held = plan_offers.held_plan(membership, at)
    context = {
        "membership": membership,
        "held": held,
        "planned": membership.plan if membership.plan.tier_id != held.tier_id else None,
        "renews_at": max(term.ends_at for term in membership.terms.all()),
        "free_until": plan_offers.free_until(membership, at),
        "options": [(one, comparison.with_tier(membership=membership, tier=one.plan.tier, at=at)) for one in found],
    }
    return render(request, "billing/change_plan.html", context)


@member_required
@require_http_methods(["GET", "POST"])
def new_quote(request: HttpRequest, plan_code: str) -> HttpResponse:
    """Work out what a better plan costs from now on, and show it."""
    membership = _own_running(request)
    if membership is None or request.method != "POST":
        return redirect("change-plan")
    try:
        return _quote_anew(membership, plan_code)
    except NOTHING_DONE as reason:
        notes.error(request, _(str(reason)))
        return redirect("change-plan")


def _quote_anew(membership: Membership, plan_code: str) -> HttpResponse:
    at = clock.now()
    limits.hit(f"plan-quote:{membership.pk}", limit=60, per=timedelta(hours=1), at=clock.wall())
    option = plan_offers.option(membership=membership, plan_code=plan_code, at=at)
    if not option.upgrade:
        return redirect("change-plan-at-renewal", plan_code)
    made = plan_quotes.offer(membership=membership, price=option.price, at=at)
    return redirect("plan-quote", made.pk)


@member_required
@require_http_methods(["GET", "POST"])
def quote(request: HttpRequest, pk: int) -> HttpResponse:
    """What is charged now, what renews when, what changes; and the button that does exactly that."""
    quotes = PlanQuote.objects.select_related("membership__member", "price__plan__tier", "from_plan__tier")
    shown = get_object_or_404(quotes, pk=pk, membership__member=member_of(request))
    if request.method == "POST":
        return _confirm(request, shown)
    if shown.state == PlanQuote.State.DONE:
        return redirect("portal")
    return _quote_page(request, shown)


def _confirm(request: HttpRequest, shown: PlanQuote) -> HttpResponse:
    member = member_of(request)
    limits.hit(f"plan-change:{member.pk}", limit=30, per=timedelta(hours=1), at=clock.wall())
    agreement = Agreement(text=_terms(shown), version=TERMS_VERSION, language=translation.get_language() or "en")
    try:
        plan_change.confirm(quote=shown, agreement=agreement, at=clock.now(), actor=f"member:{member.pk}")
    except plan_change.QuoteChanged as reason:
        notes.warning(request, _(str(reason)))
        return new_quote(request, shown.price.plan.code)
    except plan_change.CardDeclined as reason:
        return _quote_page(request, shown, problem=reason)
    except NOTHING_DONE as reason:
        return _quote_page(request, shown, problem=reason)
    tier = shown.price.plan.tier.name
    notes.success(request, _("You hold %(tier)s now, with all it brings.") % {"tier": tier})
    return redirect("portal")


def _quote_page(request: HttpRequest, shown: PlanQuote, *, problem: DomainError | None = None) -> HttpResponse:
    at = clock.now()
    shown.refresh_from_db(fields=["state"])
    over = shown.state == PlanQuote.State.DROPPED or at >= shown.expires_at
    context = {
        "quote": shown,
        "tier": shown.price.plan.tier,
        "currency": shown.price.currency,
        "lines": _lines(shown),
        "differences": comparison.with_tier(membership=shown.membership, tier=shown.price.plan.tier, at=at),
        "terms": _terms(shown),
        "over": over,
        "problem": _(str(problem)) if problem else "",
        "another_card": isinstance(problem, plan_change.CardDeclined),
        "bank_page": problem.details.get("page", "") if problem else "",
    }
    return render(request, "billing/plan_quote.html", context, status=problem.status if problem else 200)


def _lines(shown: PlanQuote) -> list[tuple[str, int]]:
    """How the amount was worked out, a line each."""
    back, rest = _("%(tier)s, the time not used"), _("%(tier)s, from today to the end of your term")
    tiers = {plan.code: plan.tier.name for plan in (shown.from_plan, shown.price.plan)}
    told = [
        ((back if line["amount"] < 0 else rest) % {"tier": tiers.get(line["plan"], line["plan"])}, line["amount"])
        for line in shown.lines
    ]
    if shown.balance_used:
        told.append((_("Your credit with us") if shown.balance_used > 0 else _("Left over"), -shown.balance_used))
    return told


def _terms(shown: PlanQuote) -> str:
    """What is agreed to by pressing the button, in the language in force; kept with the consent."""
    language, currency = translation.get_language() or "en", shown.price.currency
    values = {
        "tier": shown.price.plan.tier.name,
        "amount": money.text(shown.due, currency, language),
        "renewal": money.text(shown.renewal, currency, language),
        "day": day(shown.renews_at),
    }
    if shown.renews_at is None:
        return _("I pay %(amount)s now for %(tier)s until my membership ends. It does not renew.") % values
    if shown.price.plan.interval == "month":
        return (
            _(
                "I pay %(amount)s now for %(tier)s. My membership renews on %(day)s and then every month at "
                "%(renewal)s until I cancel."
            )
            % values
        )
    return (
        _(
            "I pay %(amount)s now for %(tier)s. My membership renews on %(day)s and then every year at %(renewal)s "
            "until I cancel."
        )
        % values
    )


@member_required
@require_http_methods(["GET", "POST"])
def at_renewal(request: HttpRequest, plan_code: str) -> HttpResponse:
    """Less from the next renewal on: what goes, when, and what is paid then."""
    membership, at = _own_running(request), clock.now()
    if membership is None or not membership.renewal_expected:
        return _not_now(request)
    try:
        option = plan_offers.option(membership=membership, plan_code=plan_code, at=at)
        if option.upgrade:
            return redirect("change-plan")
        if request.method == "POST":
            plan_change.at_renewal(membership=membership, price=option.price, at=at, actor=_actor(membership))
            tier = option.plan.tier.name
            notes.success(request, _("Your next renewal brings %(tier)s. Until then nothing changes.") % {"tier": tier})
            return redirect("portal")
    except NOTHING_DONE as reason:
        notes.error(request, _(str(reason)))
        return redirect("change-plan")
    context = {
        "membership": membership,
        "held": plan_offers.held_plan(membership, at),
        "option": option,
        "renews_at": max(term.ends_at for term in membership.terms.all()),
        "differences": comparison.with_tier(membership=membership, tier=option.plan.tier, at=at),
    }
    return render(request, "billing/change_plan_at_renewal.html", context)


@member_required
@require_http_methods(["GET", "POST"])
def keep(request: HttpRequest) -> HttpResponse:
    """Take a change planned for the renewal back."""
    membership, at = _own_running(request), clock.now()
    if membership is None or request.method != "POST":
        return redirect("change-plan")
    price = next_charge.price_of_held_plan(membership, at=at)
    try:
        if price is None:
            raise plan_offers.NoChangeNow
        plan_change.at_renewal(membership=membership, price=price, at=at, actor=_actor(membership))
    except NOTHING_DONE as reason:
        notes.error(request, _(str(reason)))
        return redirect("change-plan")
    notes.success(request, _("You keep %(tier)s.") % {"tier": price.plan.tier.name})
    return redirect("portal")


def _actor(membership: Membership) -> str:
    return f"member:{membership.member_id}"


def _not_now(request: HttpRequest, reason: DomainError | None = None) -> HttpResponse:
    notes.info(request, _(str(reason or plan_offers.NoChangeNow())))
    return redirect("portal")
