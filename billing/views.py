"""Billing's pages: agree to the terms, go and pay, come back; invoices; mend a payment; and Stripe's webhook door."""

from __future__ import annotations

import functools
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.contrib import messages as notes
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing import checkout, gateway, inbox, leaving, sync
from billing.forms import AgreementForm
from billing.models import CheckoutSession, Invoice
from membership import clock, lifecycle, limits, standing
from membership.models import Plan, Price
from membership.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Callable

    from membership.models import Member, Membership

MAX_EVENT_BYTES = 512 * 1024
JOINABLE = {Standing.PENDING, Standing.LAPSED, Standing.ENDED}


def member_required(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """For people on the roll. Others log in first; an account without a person goes to its portal."""

    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return view(request, *args, **kwargs) if hasattr(request.user, "member") else redirect("portal")

    return login_required(guarded)


def _member(request: HttpRequest) -> Member:
    return request.user.member  # type: ignore[union-attr]


@member_required
@require_http_methods(["GET", "POST"])
def review(request: HttpRequest, plan_code: str) -> HttpResponse:
    """What will be paid and when again, agreed to here; then on to Stripe's page."""
    member = _member(request)
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
        notes.success(request, _("Welcome. Your membership has begun."))
    return redirect("portal")


@member_required
@require_http_methods(["GET", "POST"])
def cancel(request: HttpRequest) -> HttpResponse:
    """One page: what canceling means in money and days, and the button."""
    membership = _own_running(request)
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
    membership = _own_running(request)
    if request.method == "POST" and membership is not None and membership.canceled_at is not None:
        try:
            leaving.stay(membership=membership, at=clock.now(), actor=f"member:{membership.member_id}")
            notes.success(request, _("Good to have you. Your membership renews as before."))
        except (gateway.StripeUnavailable, gateway.StripeRefused, lifecycle.NotPossible) as refusal:
            notes.error(request, _(str(refusal)))
    return redirect("portal")


def _own_running(request: HttpRequest) -> Membership | None:
    """The visitor's own membership while its paid term runs."""
    membership = standing.own_membership(_member(request))
    running = membership is not None and standing.at(membership, clock.now()) == Standing.CURRENT
    return membership if running else None


@member_required
@require_GET
def invoices(request: HttpRequest) -> HttpResponse:
    rows = Invoice.objects.filter(membership__member=_member(request)).prefetch_related("lines")
    return render(request, "billing/invoices.html", {"invoices": rows})


@member_required
@require_GET
def invoice(request: HttpRequest, pk: int) -> HttpResponse:
    """One invoice as a page to read or print. Another member's answers like one that does not exist."""
    row = get_object_or_404(Invoice.objects.filter(membership__member=_member(request)), pk=pk)
    return render(request, "billing/invoice.html", {"invoice": row, "lines": row.lines.all()})


@member_required
@require_GET
def mend_payment(request: HttpRequest) -> HttpResponse:
    """The one address for "something is wrong with a payment": says what it is and leads to where it is mended."""
    at = clock.now()
    membership = standing.own_membership(_member(request))
    context: dict[str, Any] = {"membership": membership}
    if membership:
        context["standing"] = standing.at(membership, at)
        context["open_invoice"] = Invoice.objects.filter(membership=membership, status="open").first()
    return render(request, "billing/mend_payment.html", context)


@csrf_exempt
@require_POST
def stripe_webhook(request: HttpRequest) -> JsonResponse:
    """Verify, store once, answer. Nothing that is not verified is stored; the worker does the rest."""
    if int(request.headers.get("Content-Length") or 0) > MAX_EVENT_BYTES:
        return JsonResponse({"error": "too large"}, status=413)
    try:
        event = gateway.verified_event(request.body, request.headers.get("Stripe-Signature", ""))
    except gateway.ForgedEvent as forged:
        return JsonResponse({"error": forged.code}, status=forged.status)
    inbox.receive(event, at=clock.now())
    return JsonResponse({"received": True})
