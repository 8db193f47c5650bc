"""What billing adds to the portal: what comes next in money, and the way to the invoices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.template.loader import render_to_string

from billing import dunning, next_charge, outlook, overdue, plan_offers, refund_quotes, trouble, untold
from billing.models import CheckoutSession, Invoice, OfflinePayment, Subscription
from membership import lifecycle, panels, standing
from membership.standing import Standing

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest

    from membership.models import Member, Membership


@panels.register("portal-next", order=10)
def next_payment(request: HttpRequest, *, member: Member, membership: Membership | None, at: datetime) -> str:
    """The next charge with its amount and day, or that there is none; for a pending membership the way back to pay."""
    if membership is None or membership.member_id != member.pk:
        return ""
    if dunning.trouble_of(membership):  # the page says above what is to be paid
        return ""
    now = standing.at(membership, at)
    subscription = Subscription.objects.filter(membership=membership).order_by("-pk").first()
    context = {
        "membership": membership,
        "standing": now.value,
        "subscription": subscription,
        "price": next_charge.price(membership),
        "letter": untold.letter(membership) if now in {Standing.CURRENT, Standing.GRACE} else None,
        "renews_at": max((t.ends_at for t in membership.terms.all()), default=None),
        "renews": now in {Standing.CURRENT, Standing.GRACE} and membership.renewal_expected,
        "can_stay": outlook.can_stay(membership),
        "checkout": CheckoutSession.objects.filter(membership=membership, state="open").first(),
    }
    return render_to_string("billing/next_charge.html", context, request)


@panels.register("portal-next", order=20)
def change_of_plan(request: HttpRequest, *, member: Member, membership: Membership | None, at: datetime) -> str:
    """What the renewal brings instead, if that was chosen, and the way to another plan while one can be had."""
    if membership is None or membership.member_id != member.pk:
        return ""
    try:
        plan_offers.changeable(membership, at)
    except plan_offers.NoChangeNow:
        return ""
    held = plan_offers.held_plan(membership, at)
    planned = membership.renewal_expected and membership.plan.tier_id != held.tier_id
    context = {"held": held, "planned": membership.plan if planned else None}
    return render_to_string("billing/change_plan_link.html", context, request)


@panels.register("portal", order=0)
def repair_on_read(request: HttpRequest, *, member: Member, membership: Membership | None, at: datetime) -> str:
    """Shows nothing: whoever looks at an overdue membership has it read again (overdue.py)."""
    if membership is not None:
        overdue.notice(membership, at=at)
    return ""


# Where the page's one button is about something else (a payment, a hold), the way out is still there, and quiet.
QUIET_WAY_OUT = {Standing.PENDING, Standing.GRACE, Standing.SUSPENDED, Standing.PAUSED}


@panels.register("portal", order=90)
def way_out(request: HttpRequest, *, member: Member, membership: Membership | None, at: datetime) -> str:
    """The link to the cancel page in the states whose own words do not carry it."""
    if membership is None or membership.member_id != member.pk:
        return ""
    if standing.at(membership, at) not in QUIET_WAY_OUT:
        return ""
    return render_to_string("billing/way_out.html", {"kind": outlook.kind_of(membership, at=at).value}, request)


@panels.register("portal", order=75)
def change_of_mind(request: HttpRequest, *, member: Member, membership: Membership | None, at: datetime) -> str:
    """While the law lets a member change their mind: how long, how much, and where."""
    if membership is None or membership.member_id != member.pk:
        return ""
    quote = refund_quotes.offers(membership=membership, at=at)
    if quote is None or quote.until is None:
        return ""
    return render_to_string("billing/refund_offer.html", {"quote": quote}, request)


@panels.register("portal-trouble", order=10)
def unpaid(request: HttpRequest, *, member: Member, membership: Membership | None, at: datetime) -> str:
    """A renewal that was tried and not paid: what is wrong, how long the place is kept, and the way to mend it."""
    if membership is None or membership.member_id != member.pk or membership.status not in lifecycle.LIVING:
        return ""
    invoice = dunning.trouble_of(membership)
    if invoice is None:
        return ""
    context = {
        "membership": membership,
        "invoice": invoice,
        "reason": trouble.reason(invoice),
        "again_at": invoice.next_try_at if invoice.next_try_at and invoice.next_try_at > at else None,
        "grace_until": standing.grace_until(membership),
    }
    return render_to_string("billing/trouble_banner.html", context, request)


@panels.register("portal", order=80)
def latest_invoices(request: HttpRequest, *, member: Member, membership: Membership | None, at: datetime) -> str:
    rows = list(Invoice.objects.filter(membership__member=member)[:3])
    paid_offline = list(OfflinePayment.objects.filter(member=member).order_by("-paid_on", "-pk")[:3])
    context = {"invoices": rows, "paid_offline": paid_offline}
    return render_to_string("billing/latest_invoices.html", context, request) if rows or paid_offline else ""
