"""Something is wrong with a payment: what it is, in plain words, and the two ways to mend it, paying and another card.

Whoever looks sees the truth: an invoice that is open here is read again, for the pages it is paid on are Stripe's and
do not lead back.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.contrib import messages as notes
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from billing import dunning, gateway, new_card, next_charge, sync, trouble, untold
from billing.models import Customer, Invoice
from billing.views.guards import member_of, member_required
from membership import clock, limits, standing

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest, HttpResponse

    from membership.models import Member, Membership

FRESH = timedelta(seconds=3)  # a page that is loaded again and again asks Stripe no oftener
MENDING = "mending"  # the session's word for the invoice that another card is given for


@member_required
@require_GET
def mend_payment(request: HttpRequest) -> HttpResponse:
    """The one address for "something is wrong with a payment": says what it is and leads to where it is mended."""
    member = member_of(request)
    if "back" in request.GET:
        _look_for_new_card(request, member)
        return redirect("mend-payment")
    membership = standing.own_membership(member)
    silent = membership is not None and not _read_again(membership)
    _thank_for_what_is_paid(request)
    membership = standing.own_membership(member)
    context: dict[str, Any] = {"membership": membership, "silent": silent}
    if membership:
        context |= _what_is_wrong(membership, clock.now())
    return render(request, "billing/mend_payment.html", context)


def _look_for_new_card(request: HttpRequest, member: Member) -> None:
    """Back from Stripe's page: if another card is there now, what is open is paid with it."""
    membership = standing.own_membership(member)
    if membership is None:
        return
    try:
        new_card.use(membership)
    except gateway.StripeUnavailable:
        notes.error(
            request,
            _(
                "The payment service does not answer right now. Your card is kept. If something was open, it is paid "
                "once, and this page says so when you load it again."
            ),
        )


def _thank_for_what_is_paid(request: HttpRequest) -> None:
    """Once the invoice is paid for which another card was given, by us or, faster than its reader, by the webhook."""
    mended = request.session.get(MENDING)
    if mended and Invoice.objects.filter(pk=mended, status="paid").exists():
        del request.session[MENDING]
        notes.success(request, _("Thank you. Your renewal is paid."))


def _read_again(membership: Membership) -> bool:
    """Read what is open here once more. -> False: Stripe does not answer, and the page says so."""
    waiting = Invoice.objects.filter(membership=membership, status__in=("open", "draft"))
    subscription = next_charge.live(membership)
    if subscription is None or not waiting.filter(read_at__lt=clock.wall() - FRESH).exists():
        return True
    try:
        sync.subscription(subscription.stripe_id)
    except gateway.StripeUnavailable:
        return False
    return True


def _what_is_wrong(membership: Membership, at: datetime) -> dict[str, Any]:
    invoice = dunning.trouble_of(membership)
    return {
        "standing": standing.at(membership, at).value,
        "invoice": invoice,
        "letter": untold.letter(membership),
        "reason": trouble.reason(invoice) if invoice else "",
        "again_at": invoice.next_try_at if invoice and invoice.next_try_at and invoice.next_try_at > at else None,
        "grace_until": standing.grace_until(membership),
        "can_change_card": next_charge.live(membership) is not None,
    }


@member_required
@require_POST
def change_card(request: HttpRequest) -> HttpResponse:
    """To Stripe's page for another card; it leads back to mending."""
    member = member_of(request)
    limits.hit(f"change-card:{member.pk}", limit=30, per=timedelta(hours=1), at=clock.wall())
    membership = standing.own_membership(member)
    if membership and (invoice := dunning.trouble_of(membership)):
        request.session[MENDING] = invoice.pk
    try:
        return redirect(new_card.page(member=member))
    except Customer.DoesNotExist:
        return redirect("mend-payment")
    except (gateway.StripeUnavailable, gateway.StripeRefused) as problem:
        notes.error(request, _(str(problem)))
        return redirect("mend-payment")
