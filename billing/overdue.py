"""Repair on read: who reads a membership whose renewal is overdue has its subscription read again, soon and elsewhere.

The read itself never waits and never asks Stripe: it leaves a moment on the subscription's row and rings. A renewal
that was paid while its webhook was lost is so found within a minute of somebody looking.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from celery.exceptions import SoftTimeLimitExceeded

from billing import sync
from billing.models import LIVE, Subscription
from membership import clock, doorbell, standing
from membership.standing import Standing

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

    from membership.models import Member, Membership

log = logging.getLogger("vip.billing")

DRAFT_HOUR = timedelta(minutes=90)  # Stripe charges about an hour after the term's end, and takes its time
AGAIN = timedelta(minutes=10)  # the same subscription is not read again sooner, however often somebody looks
AWAITED = {Standing.GRACE, Standing.LAPSED}


def is_overdue(membership: Membership, at: datetime) -> bool:
    """Whether its renewal should have been paid by now. `membership` is loaded with_facts()."""
    if not membership.renewal_expected or standing.at(membership, at) not in AWAITED:
        return False
    return max(term.ends_at for term in membership.terms.all()) + DRAFT_HOUR <= at


def notice(membership: Membership, *, at: datetime) -> bool:
    """Somebody looks at it: if it is overdue, have it read again. -> whether that was arranged."""
    if not is_overdue(membership, at):
        return False
    found = Subscription.objects.filter(membership=membership, status__in=LIVE).first()
    if found is None:
        return False
    stale = Subscription.objects.filter(pk=found.pk, reread_at=None, read_at__lt=clock.wall() - AGAIN)
    if not stale.update(reread_at=at):
        return False
    doorbell.ring("billing.read_again", found.pk)
    return True


def notice_member(member: Member, *, at: datetime) -> bool:
    """The same for a member whom a shop asked about: their own membership, or the one their seat is under."""
    membership = standing.current_membership(member, at)
    return membership is not None and notice(membership, at=at)


def read_again(*, at: datetime, pk: int | None = None, limit: int = 100) -> int:
    """Read again what was noticed (or that one subscription). -> how many were. A read that fails is tried again."""
    wanted = due(at=at) if pk is None else due(at=at).filter(pk=pk)
    done = 0
    for subscription in wanted[:limit]:
        claim = Subscription.objects.filter(pk=subscription.pk, reread_at=subscription.reread_at)
        if not claim.update(reread_at=at + AGAIN):
            continue
        done += _read(subscription)
    return done


def due(*, at: datetime) -> QuerySet[Subscription]:
    """What was noticed and not read again yet, longest ago first."""
    return Subscription.objects.filter(reread_at__lte=at).order_by("reread_at")


def _read(subscription: Subscription) -> bool:
    try:
        sync.subscription(subscription.stripe_id)
    except SoftTimeLimitExceeded:
        raise  # the sweep's own time is over: the others wait for the next one too
    except Exception as problem:
        log.warning("subscription %s is read again later: %s", subscription.pk, type(problem).__name__)
        return False
    Subscription.objects.filter(pk=subscription.pk).update(reread_at=None)
    return True
