"""Leaving and staying after all: the member's own decision about the next renewal. Called by billing's views.

Stripe is told first, then the membership: if the second step is lost, reading the subscription again finds it (sync).
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from billing import gateway, sync
from billing.models import LIVE, Subscription
from membership import lifecycle

if TYPE_CHECKING:
    from datetime import datetime

    from membership.models import Membership


def cancel(*, membership: Membership, at: datetime, actor: str) -> Membership:
    """No further charge; what is paid goes on to its end. For a membership whose term runs.

    Raises StripeUnavailable, lifecycle.NotPossible.
    """
    for subscription in _live(membership):
        _schedule(subscription, cancels=True, actor=actor)
    membership.refresh_from_db()
    return lifecycle.cancel(membership=membership, at=at, actor=actor)


def stay(*, membership: Membership, at: datetime, actor: str) -> Membership:
    """Take the cancellation back while the paid term runs. Raises StripeUnavailable, lifecycle.NotPossible."""
    for subscription in _live(membership):
        _schedule(subscription, cancels=False, actor=actor)
    membership.refresh_from_db()
    if membership.canceled_at is None:  # reading the subscription took it back already
        return membership
    if not _live(membership):  # nothing is left at Stripe that could renew
        raise lifecycle.NotPossible("This membership cannot be renewed any more. You can join again when it ends.")
    return lifecycle.undo_cancel(membership=membership, at=at, actor=actor)


def _live(membership: Membership) -> list[Subscription]:
    return list(Subscription.objects.filter(membership=membership, status__in=LIVE))


def _schedule(subscription: Subscription, *, cancels: bool, actor: str) -> None:
    """Tell Stripe, then read what stands there: it may have ended meanwhile, and refuse to be changed."""
    with contextlib.suppress(gateway.StripeRefused):
        gateway.call(
            gateway.client().v1.subscriptions.update, subscription.stripe_id, {"cancel_at_period_end": cancels}
        )
    sync.subscription(subscription.stripe_id, actor=actor)
