"""Nets under lost webhooks and lost answers: what we wait for is asked for, sooner or later, by the sweep."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from billing import endings, farewell, leaving, misplaced, refunds, sync
from billing.models import LIVE, CheckoutSession, Operation, Subscription
from membership import sweeps

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

PATIENCE = timedelta(minutes=10)  # a visit to the pay page that was paid is heard of long before
JUST_ENDED = timedelta(days=3)  # what lives on for longer is met by the nightly walk through all of them
OPEN = CheckoutSession.State.OPEN


def give_back_what_is_owed(*, at: datetime) -> None:
    """Finish the cancellations and refunds of misplaced money that were noted and not answered yet."""
    sweeps.turn("give back", misplaced.unfinished(), sync.repeat_give_back, at=at)


def finish_refunds(*, at: datetime) -> None:
    """Finish the refunds that were decided, and the subscriptions that must not charge any more."""
    sweeps.turn("end at Stripe", endings.unfinished(), endings.repeat, at=at)
    sweeps.turn("pay back", refunds.unfinished(at=at), lambda refund: refunds.carry_out(refund.decision), at=at)


def end_what_lives_on(*, at: datetime) -> None:
    """Cancel at Stripe what lives there though its membership has ended: a process died, or the end came from there."""
    sweeps.turn("end what lives on", lives_on(at=at), end, at=at)


def lives_on(*, at: datetime) -> QuerySet[Subscription]:
    """The live subscriptions of memberships that ended just now, in the order of their ends."""
    left = Subscription.objects.filter(membership__ended_at__gte=at - JUST_ENDED, status__in=LIVE)
    return left.order_by("membership__ended_at", "pk").select_related("membership__member")


def end(subscription: Subscription) -> None:
    """Cancel at Stripe the subscription of a membership that has ended."""
    operation = farewell.note_now(membership=subscription.membership, subscription=subscription, actor="system")
    if operation.state != Operation.State.PARKED:  # what waits for staff is asked about by the janitor, each day
        leaving.repeat(operation)


def look_after_checkouts(*, at: datetime, limit: int = 100) -> None:
    """Read again the open pages nobody told us of: after 10 minutes, then at twice their age, and when they run out.

    So an abandoned page costs a handful of reads, and one that was paid is found though a hundred are abandoned.
    """
    sweeps.turn("look after checkouts", pages(at=at), lambda session: _look_after(session, at), at=at, limit=limit)


def pages(*, at: datetime) -> QuerySet[CheckoutSession]:
    """The open pages that it is time to read again, longest awaited first."""
    return CheckoutSession.objects.filter(state=OPEN, look_at__lte=at).order_by("look_at")


def _look_after(session: CheckoutSession, at: datetime) -> None:
    again = at + max(PATIENCE, at - session.opened_at)
    if session.expires_at is not None and at < session.expires_at < again:
        again = session.expires_at
    CheckoutSession.objects.filter(pk=session.pk).update(look_at=again)
    if session.stripe_id is None:
        # The answer that held its address was lost, so nobody can pay it: it runs out at Stripe unseen.
        sync.expired(session)
    else:
        sync.checkout(session.stripe_id)
