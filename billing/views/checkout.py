"""Agree to the terms, go and pay, come back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.contrib import messages as notes
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from billing import checkout, gateway, sync
from billing.forms import AgreementForm
from billing.models import CheckoutSession
from billing.views.guards import member_of, member_required
from membership import clock, lifecycle, limits, standing
from membership.models import Membership, Plan
from membership.standing import Standing

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from membership.models import Member, Price

JOINABLE = {Standing.PENDING, Standing.LAPSED, Standing.ENDED}


@member_required
@require_http_methods(["GET", "POST"])
def review(request: HttpRequest, plan_code: str) -> HttpResponse:
    """What will be paid and when again, agreed to here; then on to Stripe's page."""
    member = member_of(request)
    plan = get_object_or_404(Plan.objects.select_related("tier"), code=plan_code, published=True)
    if _is_member(standing.own_membership(member)):
        notes.info(request, _("You are a member already. This is what you have."))
        return redirect("portal")
    try:
        price = checkout.price_of(plan=plan, member=member, currency=request.GET.get("currency", "EUR").upper())
    except checkout.NotForSale:
        notes.error(request, _("This plan is not offered in that currency. Please choose here."))
        return redirect("plans")
    form = AgreementForm(request.POST if request.method == "POST" else None, price=price)
    if form.is_bound and form.read_another():
        notes.error(request, _("The price has changed since you opened this page. Please look once more."))
        form = AgreementForm(price=price)
        context = {"plan": plan, "price": price, "form": form, "left": False}
        return render(request, "billing/review.html", context, status=409)
    if request.method == "POST" and form.is_valid():
        return _go_and_pay(request, member, price, form)
    context = {"plan": plan, "price": price, "form": form, "left": "left" in request.GET}
    return render(request, "billing/review.html", context, status=422 if form.errors else 200)


def _is_member(membership: Membership | None) -> bool:
    return membership is not None and standing.at(membership, clock.now()) not in JOINABLE


def _go_and_pay(request: HttpRequest, member: Member, price: Price, form: AgreementForm) -> HttpResponse:
    limits.hit(f"checkout:{member.pk}", limit=30, per=timedelta(hours=1), at=clock.wall())
    try:
        url = checkout.start(member=member, price=price, agreement=form.agreement(), at=clock.now())
    except lifecycle.AlreadyMember:
        notes.info(request, _("You are a member already. This is what you have."))
        return redirect("portal")
    except (gateway.StripeUnavailable, gateway.StripeRefused, checkout.NotForSale) as refusal:
        form.add_error(None, _(str(refusal)))
        context = {"plan": price.plan, "price": price, "form": form, "left": False}
        return render(request, "billing/review.html", context, status=refusal.status)
    return redirect(url)


@require_GET
def come_back(request: HttpRequest) -> HttpResponse:
    """Back from the pay page: read the session ourselves, without waiting for a webhook."""
    row = get_object_or_404(CheckoutSession, stripe_id=request.GET.get("session_id", ""))
    was_open = row.state == CheckoutSession.State.OPEN
    try:
        sync.checkout(str(row.stripe_id))
    except gateway.StripeUnavailable:
        return render(request, "billing/confirming.html", {"retry": request.get_full_path()}, status=503)
    row.refresh_from_db()
    member = getattr(request.user, "member", None)
    if member is None or member.pk != row.membership.member_id:
        return redirect("portal")  # whoever holds the link learns nothing; its owner logs in
    return _after_paying(request, row, news=was_open)


def _after_paying(request: HttpRequest, row: CheckoutSession, *, news: bool) -> HttpResponse:
    """Where the pay page's end leads, and what is said there: nothing when the link is only opened again."""
    if row.state == CheckoutSession.State.OPEN:
        notes.warning(request, _("Your payment is not complete. Nothing was charged."))
        again = reverse("checkout", args=[row.price.plan.code])
        return redirect(f"{again}?currency={row.price.currency}")
    if row.state == CheckoutSession.State.EXPIRED:
        notes.warning(request, _("That payment page has expired. Nothing was charged; please choose again."))
        return redirect("plans")
    if row.state == CheckoutSession.State.RETURNED:
        notes.warning(request, _("This payment had no membership to pay for, so we are giving it back in full."))
    elif news:
        back = standing.comes_back(Membership.objects.with_facts().get(pk=row.membership_id))
        said = _("Welcome back. Your membership has begun.") if back else _("Welcome. Your membership has begun.")
        notes.success(request, said)
    return redirect("portal")
