"""The end of grace: a membership whose renewal is still unpaid then is ended at Stripe, so that nothing charges later.

Decided: a plan's `grace_days` govern, not Stripe's retries. Perks stop by the clock when grace is over; the page then
says that nothing is charged any more, so the retries must stop too, however many Stripe has left. Until the sweep has
told Stripe, a payment that arrives still saves the membership; what arrives after that is given back. Where Stripe
gives up sooner, the membership ends with its subscription (sync), and grace with it: letters say "at the latest".
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db.models import Min, Prefetch, Q

from billing import dunning, gateway, sync, untold
from billing.models import LIVE, Subscription
from membership import standing, sweeps
from membership.models import Membership, Plan

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

UNPAID = ("past_due", "unpaid")  # tried, and not paid; one that was not tried yet is waited for, but see untold.py
UNDER_A_STOP, A_DAY = timedelta(hours=1), timedelta(days=1)
MIDNIGHT = timedelta(hours=26)  # by how much grace may end sooner than whole days after what was paid for: summer time


def end_what_ran_out(*, at: datetime) -> int:
    """End memberships whose grace is over and whose renewal was tried in vain, a turn of them. -> how many."""
    return sweeps.turn("end unpaid", due(at=at), lambda unpaid: _one(unpaid, at), at=at)


def due(*, at: datetime) -> QuerySet[Subscription]:
    """Unpaid subscriptions of memberships whose grace may be over, with all their facts, longest ago first.

    The shortest grace there is decides. Whose is longer, or stands still under a stop, is put off by the turn.
    """
    shortest = Plan.objects.aggregate(days=Min("grace_days"))["days"] or 0
    unpaid = Subscription.objects.filter(
        Q(status__in=UNPAID) | Q(untold.held(), status__in=LIVE),
        membership__ended_at=None,  # memberships_that_renew
        membership__renewal_expected=True,
        membership__entitled_until__lte=at - timedelta(days=shortest) + MIDNIGHT,
    )
    facts = Prefetch("membership", Membership.objects.with_facts())
    return unpaid.order_by("membership__entitled_until", "membership_id").prefetch_related(facts)


def _one(subscription: Subscription, at: datetime) -> bool:
    """Raises sweeps.NotYet: asked again when it may be over, not at each ring."""
    until = standing.grace_until(subscription.membership)
    if until is None:
        raise sweeps.NotYet(at + UNDER_A_STOP)
    if until > at:
        raise sweeps.NotYet(min(until, at + A_DAY))  # what was longer yesterday may have been made shorter
    return _end(subscription, at)


def is_over(subscription: Subscription, membership: Membership, at: datetime) -> bool:
    """Whether it is unpaid and the grace of its membership (loaded with_facts) has run out. So it is where the charge
    waits because nobody could be told of it."""
    until = standing.grace_until(membership)
    waits = subscription.status in LIVE and untold.letter(membership) is not None
    return (subscription.status in UNPAID or waits) and until is not None and until <= at


def _end(subscription: Subscription, at: datetime) -> bool:
    """Read again, for it may be paid; else cancel at Stripe. What is open there is voided by reading it (leftovers)."""
    sync.subscription(subscription.stripe_id)
    subscription.refresh_from_db()
    if not is_over(subscription, Membership.objects.with_facts().get(pk=subscription.membership_id), at):
        return False
    gateway.call(
        gateway.client().v1.subscriptions.cancel,
        subscription.stripe_id,
        {"cancellation_details": {"comment": dunning.OUR_END}},
    )
    sync.subscription(subscription.stripe_id)
    return True
