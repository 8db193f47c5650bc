"""Checkout: from "I want this plan" to the address of Stripe's pay page. Called by billing's views.

Every step is a row before it is a call, so a tab that is closed, doubled or cut off finds its way on: the same plan
gives the same page again, another plan closes the first page and opens its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from billing import customers, gateway, misplaced, nets, operations, sync
from billing.models import LIVE, CheckoutSession, Customer, Operation, StripePrice, Subscription
from membership import clock, lifecycle
from membership.errors import DomainError
from membership.models import Consent, Member, Membership, Plan, Price, Status

if TYPE_CHECKING:
    from datetime import datetime

KIND = "checkout"


class NotForSale(DomainError):
    code = "not_for_sale"
    status = 404
    message = "This plan is not offered in this currency."


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """The renewal terms as they stood on the page above the button."""

    text: str
    version: str
    language: str


def price_of(*, plan: Plan, member: Member | None, currency: str) -> Price:
    """The price this person pays: in the currency Stripe pinned for them, else the one asked for.

    Raises NotForSale.
    """
    customer = Customer.objects.filter(member=member).first() if member else None
    wanted = (customer.currency if customer else "") or currency
    price = Price.objects.filter(plan=plan, currency=wanted, retired_at=None).select_related("plan__tier").first()
    if price is None or not plan.published:
        raise NotForSale
    return price


def start(*, member: Member, price: Price, agreement: Agreement, at: datetime) -> str:
    """The address of the pay page for this member and price.

    Raises lifecycle.AlreadyMember, StripeUnavailable, StripeRefused, NotForSale.
    """
    membership = lifecycle.reserve(
        member=member, plan=price.plan, currency=price.currency, at=at, actor=f"member:{member.pk}"
    )
    _close_what_ended(member, at)
    _close_other_checkout(membership, price)
    session = _open_row(member, price, at)
    _consent(session, member, agreement, at)
    if session.url:
        return session.url
    return _ask_for_page(session, customers.of(member), agreement.language)


def _close_what_ended(member: Member, at: datetime) -> None:
    """A subscription of an earlier stay that still lives at Stripe would charge beside the new one: cancel it."""
    left = Subscription.objects.filter(
        membership__member=member, membership__status=Status.ENDED, status__in=LIVE
    ).select_related("membership__member")
    for subscription in left:
        misplaced.note(subscription.membership, subscription.stripe_id, [], at=at)
        misplaced.give_back(subscription.stripe_id)
        Subscription.objects.filter(pk=subscription.pk).update(status="canceled", read_at=clock.wall())


def _close_other_checkout(membership: Membership, price: Price) -> None:
    """See how an earlier visit ended; if it is still open for something else, close it."""
    session = CheckoutSession.objects.filter(membership=membership, state=CheckoutSession.State.OPEN).first()
    if session is None:
        return
    if session.stripe_id:
        sync.checkout(session.stripe_id, keep_reservation=True)
        session.refresh_from_db()
    if session.state == CheckoutSession.State.COMPLETE:
        raise lifecycle.AlreadyMember
    if session.state == CheckoutSession.State.OPEN and session.price_id != price.pk:
        _expire(session)


def _expire(session: CheckoutSession) -> None:
    """Close the page at Stripe first, then here; if it was paid in that very moment, that counts."""
    if session.stripe_id:
        try:
            gateway.call(gateway.client().v1.checkout.sessions.expire, session.stripe_id)
        except gateway.StripeRefused:
            sync.checkout(session.stripe_id, keep_reservation=True)
            session.refresh_from_db()
            if session.state == CheckoutSession.State.COMPLETE:
                raise lifecycle.AlreadyMember from None
            return
    CheckoutSession.objects.filter(pk=session.pk, state=CheckoutSession.State.OPEN).update(
        state=CheckoutSession.State.EXPIRED
    )


def _open_row(member: Member, price: Price, at: datetime) -> CheckoutSession:
    """The row of the pay page, under the member's place as it is now: one that ran out meanwhile may have freed it."""
    try:
        with transaction.atomic():
            membership = lifecycle.reserve(
                member=member, plan=price.plan, currency=price.currency, at=at, actor=f"member:{member.pk}"
            )
            session, _new = CheckoutSession.objects.get_or_create(
                membership=membership,
                state=CheckoutSession.State.OPEN,
                price=price,
                defaults={"opened_at": at, "look_at": at + nets.PATIENCE},
            )
            return session
    except IntegrityError:  # one_open_checkout_per_membership: another tab opened one for another plan just now
        raise gateway.StripeUnavailable(
            _("You are joining in another tab. Close it, or try again in a moment.")
        ) from None


def _consent(session: CheckoutSession, member: Member, agreement: Agreement, at: datetime) -> None:
    Consent.objects.get_or_create(
        kind="renewal-terms",
        source_ref=f"checkout:{session.pk}",
        defaults={
            "member": member,
            "version": agreement.version,
            "language": agreement.language,
            "text": agreement.text,
            "given_at": at,
        },
    )


def _ask_for_page(session: CheckoutSession, customer: str, language: str) -> str:
    operation = operations.note(
        key=f"checkout:{session.pk}",
        kind=KIND,
        member=session.membership.member,
        params=_page_params(session, customer, language),
    )
    try:
        return _open_page(session, operation)
    except gateway.StripeRefused:
        # Nothing was opened there, so nothing may stay open here: the next try is a new row with a new key.
        CheckoutSession.objects.filter(pk=session.pk).update(state=CheckoutSession.State.EXPIRED)
        raise


def _open_page(session: CheckoutSession, operation: Operation) -> str:
    """Open the page, or what was lost of it: the call under its key, then our row. -> its address."""
    sessions = gateway.client().v1.checkout.sessions
    if operation.state == Operation.State.DONE:  # answered to a process that died before it could write it down
        made = gateway.call(sessions.retrieve, operation.stripe_id)
    else:
        made = operations.create(sessions.create, operation)
    CheckoutSession.objects.filter(pk=session.pk).update(
        stripe_id=made.id, url=made.url or "", expires_at=gateway.moment(made.expires_at)
    )
    return made.url or reverse("portal")


def repeat(operation: Operation) -> None:
    """For the janitor: open the page that was asked for while our row of it waits; else see what became of it."""
    session = CheckoutSession.objects.filter(pk=operation.params["metadata"]["checkout"]).first()
    if session and session.state == CheckoutSession.State.OPEN and not session.stripe_id:
        _open_page(session, operation)
    else:
        look_up(operation)


def look_up(operation: Operation) -> None:
    """Find the page that was asked for, by our row in its metadata; settles the operation.

    A page that nobody was led to is closed, so that it is never paid beside another.
    """
    ours = operation.params["metadata"]["checkout"]
    sessions = gateway.client().v1.checkout.sessions
    pages = gateway.read_all(sessions.list, {"customer": operation.params["customer"]})
    found = next((page for page in pages if (page.get("metadata") or {}).get("checkout") == ours), None)
    if found is None:
        operations.never_arrived(operation)
        return
    wanted = CheckoutSession.objects.filter(pk=ours, state=CheckoutSession.State.OPEN).exists()
    if found["status"] == "open" and not wanted:
        gateway.call(sessions.expire, found["id"])
    sync.checkout(found["id"])
    operations.done(operation, stripe_id=found["id"])


def _page_params(session: CheckoutSession, customer: str, language: str) -> dict[str, Any]:
    plan = session.price.plan
    stripe_price = StripePrice.objects.filter(price=session.price).first()
    if stripe_price is None:
        raise NotForSale("This plan cannot be paid yet: its price is not set up at the payment service.")
    tie = {"membership": str(session.membership_id), "checkout": str(session.pk)}
    subscription: dict[str, Any] = {"metadata": tie}
    if plan.trial_days and session.membership.member.member_since is None:  # once in a life, not at each return
        subscription["trial_period_days"] = plan.trial_days
    return {
        "mode": "subscription",
        "customer": customer,
        "client_reference_id": str(session.membership_id),
        "line_items": [{"price": stripe_price.stripe_id, "quantity": 1}],
        "allow_promotion_codes": True,
        "locale": language,
        "metadata": tie,
        "subscription_data": subscription,
        "success_url": f"{settings.BASE_URL}{reverse('checkout-return')}?session_id={{CHECKOUT_SESSION_ID}}",
        "cancel_url": f"{settings.BASE_URL}{reverse('checkout', args=[plan.code])}"
        f"?left=1&currency={session.price.currency}",
    }
