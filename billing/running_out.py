"""Running out: memberships whose last paid day has passed and that nothing renews. Called by the sweep.

Access stopped by the clock already. What is left is to free the member's place, to make sure that nothing at Stripe
can charge any more, and to say goodbye.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from celery.exceptions import SoftTimeLimitExceeded

from billing import farewell, gateway, sync
from billing.models import LIVE, Subscription
from membership import lifecycle
from membership.models import Membership

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

log = logging.getLogger("vip.billing")


def due(*, at: datetime) -> QuerySet[Membership]:
    """The memberships that ran out by `at` and whose row does not say so yet, longest ago first."""
    living = Membership.objects.filter(status__in=lifecycle.LIVING, renewal_expected=False, entitled_until__lte=at)
    return living.order_by("entitled_until", "pk")


def see_out(*, at: datetime, limit: int = 500) -> int:
    """End what ran out. -> how many. One that cannot be ended now must not keep the others waiting."""
    ended = 0
    for membership in due(at=at)[:limit]:
        try:
            ended += _one(membership, at)
        except SoftTimeLimitExceeded:
            raise  # the sweep's own time is over: the others wait for the next one too
        except Exception as problem:
            log.warning("left for the next sweep: %s", type(problem).__name__)
    return ended


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
