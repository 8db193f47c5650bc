"""Running out: memberships whose last paid day has passed and that nothing renews. Called by the sweep.

Access stopped by the clock already. What is left is to free the member's place, to make sure that nothing at Stripe
can charge any more, and to say goodbye.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing import farewell, gateway, sync
from billing.models import LIVE, Subscription
from membership import lifecycle, sweeps
from membership.models import Membership

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet


def due(*, at: datetime) -> QuerySet[Membership]:
    """The memberships that ran out by `at` and whose row does not say so yet, longest ago first."""
    open_ones = Membership.objects.filter(ended_at=None, renewal_expected=False)  # memberships_that_run_out
    return open_ones.filter(entitled_until__lte=at).order_by("entitled_until", "pk")


def see_out(*, at: datetime) -> int:
    """End what ran out, a turn of it. -> how many were ended."""
    return sweeps.turn("see out", due(at=at), lambda membership: _one(membership, at), at=at)


def _one(membership: Membership, at: datetime) -> bool:
    """Nothing may live on at Stripe: its own end was scheduled, and maybe nobody told us; else it is ended now."""
    for subscription in Subscription.objects.filter(membership=membership, status__in=LIVE):
        sync.subscription(subscription.stripe_id)
        subscription.refresh_from_db()
        if subscription.status in LIVE:
            gateway.call(gateway.client().v1.subscriptions.cancel, subscription.stripe_id)
            sync.subscription(subscription.stripe_id)
    farewell.see_out(membership=membership, at=at)
    membership.refresh_from_db(fields=["status"])
    return membership.status not in lifecycle.LIVING
