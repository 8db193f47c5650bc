"""Announcing: work off the notices that are due, of every kind. Called by the beat; safe at any time and twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing import dunning, next_charge, notices, sync
from billing.models import Notice
from membership import clock, work

if TYPE_CHECKING:
    from datetime import datetime


def sweep(*, at: datetime) -> int:
    """Send every notice that is due and unsent, oldest first. -> how many were seen to."""
    return work.drain(Notice.objects.select_related("membership"), _handle, at=at)


def try_again(pk: int, *, at: datetime) -> tuple[bool, str]:
    """One notice now, parked or not. -> whether it is seen to, and why not."""
    return work.try_again(Notice.objects.select_related("membership"), pk, _handle, at=at)


def _handle(notice: Notice) -> None:
    if notice.kind == Notice.Kind.RENEWAL:
        notices.handle(notice)
    else:
        _warn(notice)


def _warn(notice: Notice) -> None:
    """Before a last warning goes out Stripe is asked: it may be paid, and nobody told us."""
    subscription = next_charge.live(notice.membership)
    if subscription:
        sync.subscription(subscription.stripe_id)
    dunning.warn(notice, at=clock.now())
