"""Nets under lost webhooks and lost answers: what we wait for is asked for, sooner or later, by the sweep."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db.models import Q

from billing import doubled, gateway, sync
from billing.models import CheckoutSession, Operation
from membership import work

if TYPE_CHECKING:
    from datetime import datetime

log = logging.getLogger("vip.billing")

PATIENCE = timedelta(minutes=10)  # a visit to the pay page that was paid is heard of long before


def look_after_checkouts(*, at: datetime, limit: int = 100) -> None:
    """Read again the open checkouts nobody told us of for a while, and finish what must be given back."""
    stale = CheckoutSession.objects.filter(
        Q(expires_at__lte=at) | Q(opened_at__lte=at - PATIENCE), state=CheckoutSession.State.OPEN
    ).exclude(stripe_id=None)
    for session in stale.order_by("opened_at")[:limit]:
        _quietly(lambda session=session: sync.checkout(str(session.stripe_id)))
    unfinished = Operation.objects.filter(kind__in=["cancel", "refund"], state=Operation.State.UNKNOWN)
    for key in unfinished.filter(kind="cancel").values_list("key", flat=True)[:limit]:
        _quietly(lambda key=key: doubled.give_back(key.removeprefix("cancel-doubled:")))


def _quietly(act: object) -> None:
    try:
        act()  # type: ignore[operator]
    except (gateway.StripeUnavailable, gateway.StripeRefused, work.Park) as reason:
        log.warning("left for the next sweep: %s", reason)
