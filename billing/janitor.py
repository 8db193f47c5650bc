"""The janitor: asks what came of every Operation whose outcome nobody knows. Called by billing's beat.

At 5 minutes, at an hour, then daily. While Stripe knows the key the same call is repeated under it, which can make
nothing twice; later the object is looked for by our metadata in Stripe's lists. An Operation ends as done, as refused,
or parked for staff with a reason, and one that is parked because Stripe kept silent is asked again each day.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from celery.exceptions import SoftTimeLimitExceeded

from billing import (
    aligning,
    checkout,
    customers,
    endings,
    farewell,
    gateway,
    leaving,
    leftovers,
    misplaced,
    new_card,
    operations,
    plan_change,
    refunds,
    sync,
    tier_changes,
)
from billing.models import Operation
from membership import clock, work

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

log = logging.getLogger("vip.billing")

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class Kind:
    """How an Operation of one kind is ended. Both settle it, or leave it open with its `error`; both may raise.

    `repeat`: the same call under the same key. `look_up`: the key is too old for that, so only ask.
    """

    repeat: Callable[[Operation], object]
    look_up: Callable[[Operation], object]


# One line a kind: whoever writes Operations of a new kind says here how they end.
KINDS: dict[str, Kind] = {
    customers.KIND: Kind(customers.repeat, customers.look_up),
    checkout.KIND: Kind(checkout.repeat, checkout.look_up),
    # Canceling and giving back in full can be said twice: Stripe answers that it is done already.
    misplaced.CANCEL: Kind(sync.repeat_give_back, sync.repeat_give_back),
    misplaced.REFUND: Kind(sync.repeat_give_back, sync.repeat_give_back),
    endings.CANCEL: Kind(endings.repeat, endings.repeat),
    endings.STOP: Kind(endings.repeat, endings.repeat),
    # A refund looks for itself at Stripe, by the name it has there, before it is asked for again.
    refunds.KIND: Kind(refunds.repeat, refunds.repeat),
    aligning.KIND: Kind(aligning.repeat, aligning.repeat),
    farewell.CANCEL_NOW: Kind(leaving.repeat, leaving.repeat),
    leftovers.VOID: Kind(leftovers.repeat, leftovers.repeat),
    # A quote that has run out must not be charged by a repetition, so it is only looked for.
    tier_changes.KIND: Kind(plan_change.end_operation, plan_change.end_operation),
    new_card.PAGE: Kind(new_card.forget, new_card.forget),
    new_card.PAY: Kind(new_card.repeat, new_card.look_up),
}


def look_after(*, at: datetime, limit: int = 200) -> int:
    """Ask about every Operation that is due. -> how many were asked about."""
    return sum(look(operation, at=at) for operation in due(at=at)[:limit])


def due(*, at: datetime) -> QuerySet[Operation]:
    """The open Operations whose time has come, longest awaited first."""
    waiting = Operation.objects.filter(look_at__lte=at, state__in=operations.OPEN)
    return waiting.order_by("look_at").select_related("member__user")


def look(operation: Operation, *, at: datetime) -> bool:
    """Find out about one and end it if that can be done. False: another worker is at it."""
    claim = Operation.objects.filter(pk=operation.pk, look_at=operation.look_at, state__in=operations.OPEN)
    operation.look_at = _next_look(operation, at)
    if not claim.update(look_at=operation.look_at):
        return False
    reason = _end(operation)
    operation.refresh_from_db()
    if operation.state == Operation.State.UNKNOWN and at - operation.asked_at >= DAY:
        reason = reason or operation.error or "nobody could say what came of it"
        Operation.objects.filter(pk=operation.pk, state=Operation.State.UNKNOWN).update(
            state=Operation.State.PARKED, error=reason[:500]
        )
        log.error("operation %s (%s) needs a person: %s", operation.pk, operation.kind, reason)
    return True


def _next_look(operation: Operation, at: datetime) -> datetime:
    age = at - operation.asked_at
    return operation.asked_at + (HOUR if age < HOUR else (age // DAY + 1) * DAY)


def _end(operation: Operation) -> str:
    """Repeat or look up, as its key's age allows. -> why it stays open, if one can tell."""
    kind = KINDS.get(operation.kind)
    if kind is None:
        return f"nobody here knows how to look up a {operation.kind}"
    young = operation.key_good_until is not None and clock.wall() < operation.key_good_until
    try:
        (kind.repeat if young else kind.look_up)(operation)
    except work.Park as park:
        return park.reason
    except gateway.StripeRefused as refusal:
        return str(refusal.details["said"])
    except gateway.StripeUnavailable:
        return "Stripe did not answer"
    except SoftTimeLimitExceeded:
        raise  # the sweep's own time is over, which says nothing of this one: it is looked at again when it is due
    except Exception as problem:
        log.exception("operation %s (%s) could not be looked up", operation.pk, operation.kind)
        return type(problem).__name__
    return ""
