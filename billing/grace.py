"""The end of grace: a membership whose renewal is still unpaid then is ended at Stripe, so that nothing charges later.

Decided: a plan's `grace_days` govern, not Stripe's retries. Perks stop by the clock when grace is over; the page then
says that nothing is charged any more, so the retries must stop too, however many Stripe has left. Until the sweep has
told Stripe, a payment that arrives still saves the membership; what arrives after that is given back. Where Stripe
gives up sooner, the membership ends with its subscription (sync), and grace with it: letters say "at the latest".
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from celery.exceptions import SoftTimeLimitExceeded

from billing import dunning, gateway, sync
from billing.models import Subscription
from membership import lifecycle, standing
from membership.models import Membership

if TYPE_CHECKING:
    from datetime import datetime

log = logging.getLogger("vip.billing")

UNPAID = ("past_due", "unpaid")  # tried, and not paid; an invoice that was not tried yet is waited for


def end_what_ran_out(*, at: datetime) -> int:
    """End every membership whose grace is over and whose renewal was tried in vain. -> how many."""
    unpaid = Subscription.objects.filter(
        status__in=UNPAID, membership__status__in=lifecycle.LIVING, membership__entitled_until__lte=at
    )
    return sum(_one(subscription, at) for subscription in unpaid.order_by("pk"))


def _one(subscription: Subscription, at: datetime) -> bool:
    """One that cannot be ended now must not keep the others waiting; the next sweep asks again."""
    try:
        return is_over(subscription, at) and _end(subscription, at)
    except SoftTimeLimitExceeded:
        raise  # the sweep's own time is over: the others wait for the next one too
    except Exception as problem:
        log.warning("left for the next sweep: %s", type(problem).__name__)
        return False


def is_over(subscription: Subscription, at: datetime) -> bool:
    """Whether it is unpaid and the grace of its membership has run out."""
    membership = Membership.objects.with_facts().get(pk=subscription.membership_id)
    until = standing.grace_until(membership)
    return subscription.status in UNPAID and until is not None and until <= at


def _end(subscription: Subscription, at: datetime) -> bool:
    """Read again, for it may be paid; else cancel at Stripe. What is open there is voided by reading it (leftovers)."""
    sync.subscription(subscription.stripe_id)
    subscription.refresh_from_db()
    if not is_over(subscription, at):
        return False
    gateway.call(
        gateway.client().v1.subscriptions.cancel,
        subscription.stripe_id,
        {"cancellation_details": {"comment": dunning.OUR_END}},
    )
    sync.subscription(subscription.stripe_id)
    return True
