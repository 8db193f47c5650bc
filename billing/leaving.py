"""Leaving and staying after all: the member's own decision, in every state. Called by billing's views and commands.

Stripe is told first, then the membership: if the second step is lost, reading the subscription again finds it (sync).
What ends at once is an Operation first, so that a crash in between is finished by the janitor, and money that
arrives after the decision goes back.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from django.db import transaction

from billing import farewell, gateway, leftovers, operations, outlook, sync
from billing.farewell import Changed
from billing.models import LIVE, CheckoutSession, Operation, Subscription
from billing.outlook import Kind
from membership import lifecycle
from membership.models import Membership, Status

if TYPE_CHECKING:
    from datetime import datetime


def cancel(*, membership: Membership, at: datetime, actor: str, promised: str = "") -> Membership:
    """No further charge, whatever state it is in; what is paid goes on to its end. Canceled already: nothing happens.

    `promised` is the outlook's kind that the person read. Raises Changed when another holds by now, StripeUnavailable,
    StripeRefused, lifecycle.NotPossible (over, or nothing that renews).
    """
    membership = Membership.objects.with_facts().get(pk=membership.pk)
    if membership.status == Status.ENDED:
        raise lifecycle.NotPossible
    kind = outlook.kind_of(membership, at=at)
    if kind not in {promised, Kind.CANCELED} and promised:
        raise Changed
    if kind == Kind.BY_ITSELF:
        raise lifecycle.NotPossible
    if kind == Kind.PLACE:
        return _give_place_back(membership, at, actor)
    if kind == Kind.AT_ONCE:
        return _end_now(membership, at, actor)
    return _end_with_its_term(membership, at, actor)


def _end_with_its_term(membership: Membership, at: datetime, actor: str) -> Membership:
    for subscription in _live(membership):
        _schedule(subscription, cancels=True, actor=actor)
    live = _live(membership)
    if any(not subscription.ends_by_itself for subscription in live):
        raise gateway.StripeRefused  # it would go on charging: nothing may be said to be canceled
    for subscription in _begun_anew(membership, live):
        _finish(farewell.note_now(membership=membership, subscription=subscription, actor=actor))
    return farewell.cancel(membership=membership, at=at, actor=actor)


def _begun_anew(membership: Membership, live: list[Subscription]) -> list[Subscription]:
    """Those whose next period began at Stripe in this very moment, unpaid: what is scheduled is its end."""
    ends_at = outlook.charge_at(Membership.objects.with_facts().get(pk=membership.pk))
    return [one for one in live if ends_at and one.current_period_end and one.current_period_end > ends_at]


def _end_now(membership: Membership, at: datetime, actor: str) -> Membership:
    """What is unpaid ends now. Stripe is asked first: if the payment has arrived, that is another farewell."""
    for subscription in _live(membership):
        sync.subscription(subscription.stripe_id)
    for operation in farewell.want_now(membership=membership, at=at, actor=actor):
        _finish(operation)
    return farewell.cancel(membership=membership, at=at, actor=actor)


def _give_place_back(membership: Membership, at: datetime, actor: str) -> Membership:
    """Close the pay page at Stripe, then free the place. Raises Changed if it was paid in that very moment."""
    page = CheckoutSession.objects.filter(membership=membership, state=CheckoutSession.State.OPEN).first()
    if page is not None and page.stripe_id is None:
        sync.expired(page)  # the answer with its address was lost: nobody can pay there
    elif page is not None:
        with contextlib.suppress(gateway.StripeRefused):  # paid or expired already: the read says which
            gateway.call(gateway.client().v1.checkout.sessions.expire, page.stripe_id)
        sync.checkout(str(page.stripe_id))
    for operation in farewell.want_now(membership=membership, at=at, actor=actor):
        _finish(operation)
    with transaction.atomic():
        membership = Membership.objects.lock(membership.pk)
        if CheckoutSession.objects.filter(membership=membership, state=CheckoutSession.State.OPEN).exists():
            raise Changed  # another tab has opened a page meanwhile
        return farewell.cancel(membership=membership, at=at, actor=actor)


def stay(*, membership: Membership, at: datetime, actor: str) -> Membership:
    """Take the cancellation back while what is paid runs. Not canceled: nothing happens.

    Raises StripeUnavailable, StripeRefused, lifecycle.NotPossible (over here or at Stripe: one can only join again).
    """
    if membership.cut_at is not None:
        raise lifecycle.NotPossible("It ends because its payment was given back.")
    for subscription in _live(membership):
        _schedule(subscription, cancels=False, actor=actor)
    membership = Membership.objects.with_facts().get(pk=membership.pk)
    if membership.status != Status.ENDED and membership.canceled_at is None:
        return membership  # reading the subscription took it back already
    live = _live(membership)
    if not outlook.can_stay(membership):
        raise lifecycle.NotPossible("Nothing is left at Stripe that could renew.")
    if any(subscription.ends_by_itself for subscription in live):
        raise gateway.StripeRefused
    return farewell.stay(membership=membership, at=at, actor=actor)


def repeat(operation: Operation) -> None:
    """For the janitor: finish what was decided and not answered, after a crash or a lost answer."""
    _finish(operation)


def _finish(operation: Operation) -> None:
    """Cancel at Stripe, drop what is unpaid there, then read what stands. Safe to repeat.

    Raises StripeUnavailable, and StripeRefused where Stripe would not cancel (the Operation keeps its words).
    """
    subscription_id = operation.params["subscription"]
    done = operation.state == Operation.State.DONE
    if not done and not operations.settle(operation, lambda: _cancel_at_stripe(subscription_id)):
        raise gateway.StripeRefused(said=operation.error)
    sync.subscription(subscription_id, actor=operation.params["actor"])


def _cancel_at_stripe(subscription_id: str) -> None:
    stripe = gateway.client().v1
    try:
        gateway.call(stripe.subscriptions.cancel, subscription_id)
    except gateway.StripeRefused as refusal:
        if not gateway.is_missing(refusal):  # a second cancel answers that there is no such subscription
            raise
    for invoice in gateway.read_all(stripe.invoices.list, {"subscription": subscription_id}):
        with contextlib.suppress(gateway.StripeRefused):  # paid in this moment: reading it gives the money back
            leftovers.drop(invoice)


def _live(membership: Membership) -> list[Subscription]:
    return list(Subscription.objects.filter(membership=membership, status__in=LIVE))


def _schedule(subscription: Subscription, *, cancels: bool, actor: str) -> None:
    """Tell Stripe, then read what stands there: it may have ended meanwhile, and refuse to be changed."""
    with contextlib.suppress(gateway.StripeRefused):
        gateway.call(gateway.client().v1.subscriptions.update, subscription.stripe_id, _change(subscription, cancels))
    sync.subscription(subscription.stripe_id, actor=actor)


def _change(subscription: Subscription, cancels: bool) -> dict[str, Any]:
    """Stripe's own portal sets `cancel_at` alone, which is taken back by emptying it."""
    if not cancels and subscription.cancel_at is not None and not subscription.cancel_at_period_end:
        return {"cancel_at": ""}
    return {"cancel_at_period_end": cancels}
