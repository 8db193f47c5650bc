"""Nets under lost webhooks and lost answers: what we wait for is asked for, sooner or later, by the sweep."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from celery.exceptions import SoftTimeLimitExceeded
from django.db.models import Q

from billing import endings, farewell, leaving, misplaced, refunds, sync
from billing.models import LIVE, CheckoutSession, Operation, Subscription
from membership.models import Status

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

log = logging.getLogger("vip.billing")

PATIENCE = timedelta(minutes=10)  # a visit to the pay page that was paid is heard of long before
OPEN = CheckoutSession.State.OPEN


def give_back_what_is_owed() -> None:
    """Finish every cancellation and refund that was noted and not answered yet."""
    for subscription_id in misplaced.unfinished():
        _one(lambda subscription_id=subscription_id: misplaced.give_back(subscription_id))  # type: ignore[misc]


def finish_refunds(*, at: datetime) -> None:
    """Finish every refund that was decided, and every subscription that must not charge any more."""
    for membership in endings.unfinished():
        _one(lambda membership=membership: endings.carry_out(membership))  # type: ignore[misc]
    for decision in refunds.unfinished(at=at):
        _one(lambda decision=decision: refunds.carry_out(decision))  # type: ignore[misc]


def end_what_lives_on() -> None:
    """Cancel at Stripe what lives there though its membership has ended: a process died, or the end came from there."""
    left = Subscription.objects.filter(membership__status=Status.ENDED, status__in=LIVE).order_by("pk")
    for subscription in left.select_related("membership__member"):
        _one(lambda subscription=subscription: _end(subscription))  # type: ignore[misc]


def _end(subscription: Subscription) -> None:
    operation = farewell.note_now(membership=subscription.membership, subscription=subscription, actor="system")
    if operation.state != Operation.State.PARKED:  # what waits for staff is asked about by the janitor, each day
        leaving.repeat(operation)


def look_after_checkouts(*, at: datetime, limit: int = 100) -> None:
    """Read again the open pages nobody told us of: after 10 minutes, then at twice their age, and when they run out.

    So an abandoned page costs a handful of reads, and one that was paid is found though a hundred are abandoned.
    """
    waiting = CheckoutSession.objects.filter(state=OPEN)
    for session in waiting.filter(stripe_id=None, opened_at__lte=at - PATIENCE):
        # The answer that held its address was lost, so nobody can pay it: it runs out at Stripe unseen.
        _one(lambda session=session: sync.expired(session))  # type: ignore[misc]
    due = waiting.exclude(stripe_id=None).filter(Q(look_at__lte=at) | Q(expires_at__lte=at))
    for session in due.order_by("look_at")[:limit]:
        age = at - session.opened_at
        CheckoutSession.objects.filter(pk=session.pk).update(look_at=at + max(PATIENCE, age))
        _one(lambda session=session: sync.checkout(str(session.stripe_id)))  # type: ignore[misc]


def _one(act: Callable[[], object]) -> None:
    """One that cannot be done now must not keep the others waiting; the next sweep asks again."""
    try:
        act()
    except SoftTimeLimitExceeded:
        raise  # the sweep's own time is over: the others wait for the next one too
    except Exception as problem:
        log.warning("left for the next sweep: %s", type(problem).__name__)
