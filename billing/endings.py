"""What a membership that ends for cause leaves at Stripe: a subscription that must not charge again.

The decision is an Operation in the transaction that ends (or will end) the membership; whoever comes next makes the
call. Called by refunds.py and disputes.py; the sweep finishes what was left.
"""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING

from django.db import models, transaction

from billing import gateway, operations
from billing.models import LIVE, Operation, Subscription
from membership import clock

if TYPE_CHECKING:
    from membership.models import Membership

CANCEL, STOP = "cancel_ended", "stop_renewing"


def note(membership: Membership, *, at_period_end: bool = False) -> None:
    """Decide: its subscription is canceled, at once or when the paid period ends. Safe to repeat.

    Made after the commit; if that call is lost, by the sweep.
    """
    _note(membership, STOP if at_period_end else CANCEL)


def stop_again(membership: Membership) -> None:
    """Decide once more that it ends with its paid period: somebody took that back at Stripe. Safe to repeat."""
    done = _of(membership.pk).filter(kind=STOP, state=Operation.State.DONE).count()
    _note(membership, STOP, f":{done}" if done else "")


def _note(membership: Membership, kind: str, again: str = "") -> None:
    for subscription_id in _live(membership):
        operations.note(
            key=f"{kind}:{subscription_id}{again}",
            kind=kind,
            params={"subscription": subscription_id, "membership": membership.pk},
            member=membership.member,
        )
    transaction.on_commit(partial(_soon, membership.pk))


def _soon(membership_pk: int) -> None:
    with contextlib.suppress(gateway.StripeUnavailable):  # the sweep asks again
        carry_out(membership_pk)


def _live(membership: Membership) -> list[str]:
    found = Subscription.objects.filter(membership=membership, status__in=LIVE)
    return list(found.values_list("stripe_id", flat=True))


def carry_out(membership_pk: int) -> None:
    """Cancel at Stripe what was noted for this membership. Raises StripeUnavailable."""
    for operation in _of(membership_pk).filter(kind__in=[CANCEL, STOP], state=Operation.State.UNKNOWN):
        repeat(operation)


def repeat(operation: Operation) -> None:
    """Make the call of one Operation; saying it twice changes nothing."""
    subscriptions = gateway.client().v1.subscriptions
    stripe_id = operation.params["subscription"]
    if operation.kind == STOP:
        if operations.settle(operation, partial(subscriptions.update, stripe_id, {"cancel_at_period_end": True})):
            mirror = Subscription.objects.filter(stripe_id=stripe_id)
            mirror.update(cancel_at_period_end=True, cancel_at=models.F("current_period_end"), read_at=clock.wall())
    elif operations.settle(operation, partial(subscriptions.cancel, stripe_id)):
        Subscription.objects.filter(stripe_id=stripe_id).update(status="canceled", read_at=clock.wall())


def unfinished() -> models.QuerySet[Operation]:
    """What is noted here and Stripe has not answered, oldest first."""
    waiting = Operation.objects.filter(kind__in=[CANCEL, STOP], state=Operation.State.UNKNOWN)
    return waiting.order_by("asked_at", "pk")


def _of(membership_pk: int) -> models.QuerySet[Operation]:
    """Those of one membership, by its member, who has an index; what is inside `params` has none."""
    return Operation.objects.filter(member__memberships=membership_pk, params__membership=membership_pk)
