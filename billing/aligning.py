"""Aligning: Stripe's subscription is made to fit the membership, where a change began here.

Two things are kept equal. The next charge is at the end of the last term: free days, a gift or a rest move it, as
`trial_end` moves Stripe's billing anchor. And while a stop is open, or nobody could be told of the renewal (untold.py),
nothing is collected: Stripe keeps the renewal as a
draft, and what was asked for before is not tried again, which Stripe would go on doing (its documentation: "invoices
created before subscriptions are paused continue to be retried"). When that is over, what was kept back for the
running period is collected; what was kept back for a period that has passed meanwhile is dropped.

What is to be done is an Operation in the transaction of the change; making it asks for the facts of that
moment, so an answer that was lost, or two changes that overtake each other, end in the same.
"""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import transaction

from billing import gateway, leftovers, operations, outlook, sync, untold
from billing.models import LIVE, Operation, Subscription
from membership import clock
from membership.models import Membership, Message

if TYPE_CHECKING:
    from datetime import datetime

KIND = "align"
HELD = "held_by_stop"  # the metadata of an invoice whose automatic charge was switched off here


def plan(membership: Membership) -> None:
    """Note what Stripe must be told, once for each stop that opens or is lifted, for each letter that came back or is
    seen to, and for each new moment of the charge.

    Called whenever a membership changed, inside that change's transaction. `membership` is loaded with facts.
    """
    subscription = Subscription.objects.filter(membership=membership, status__in=LIVE).first()
    if subscription is None:
        return
    reasons = [f"stop:{stop.pk}:{'open' if stop.lifted_at is None else 'lifted'}" for stop in membership.stops.all()]
    reasons += [
        f"letter:{letter.pk}:{'back' if letter.seen_at is None else 'seen'}" for letter in untold.letters(membership)
    ]
    ends_at, period_ends = outlook.charge_at(membership), subscription.current_period_end
    if _moves(membership, ends_at, period_ends, ends_by_itself=subscription.ends_by_itself):
        reasons.append(f"charge:{ends_at:%Y%m%dT%H%M%S}")
    for reason in reasons:
        _note(membership, subscription, reason)


def _note(membership: Membership, subscription: Subscription, reason: str) -> None:
    key = f"{KIND}:{subscription.stripe_id}:{reason}"
    if operations.is_noted(key):
        return
    params = {"subscription": subscription.stripe_id, "membership": membership.pk}
    operation = operations.note(key=key, kind=KIND, params=params, member=membership.member)
    # What goes wrong there is nobody's here: the Operation stays, and the janitor makes it.
    transaction.on_commit(partial(repeat, operation), robust=True)


def _moves(
    membership: Membership, ends_at: datetime | None, period_ends: datetime | None, *, ends_by_itself: bool
) -> bool:
    """Whether Stripe would charge before what is given has run out. A subscription that ends charges nobody."""
    if ends_at is None or period_ends is None or ends_by_itself or not membership.renewal_expected:
        return False
    return ends_at > period_ends and ends_at > clock.now()


def repeat(operation: Operation) -> None:
    """Make it so, then read what stands. Safe to repeat. Raises StripeUnavailable."""
    operation.refresh_from_db()
    if operation.state == Operation.State.DONE:
        return
    subscription_id = operation.params["subscription"]
    if operations.settle(operation, partial(_at_stripe, subscription_id, operation.params["membership"])):
        sync.subscription(subscription_id)


def unanswered(membership: Membership) -> int:
    """How many of these Stripe has not confirmed yet."""
    waiting = Operation.objects.filter(member=membership.member_id, kind=KIND, params__membership=membership.pk)
    return waiting.exclude(state=Operation.State.DONE).count()


def _at_stripe(subscription_id: str, membership_pk: int) -> None:
    subscriptions = gateway.client().v1.subscriptions
    read = gateway.read(subscriptions.retrieve, subscription_id)
    if read["status"] not in LIVE:
        return
    membership = Membership.objects.with_facts().get(pk=membership_pk)
    letters = untold.letters(membership)
    waits = _is_stopped(membership) or any(letter.seen_at is None for letter in letters)
    change = _difference(membership, read, waits=waits)
    if change:
        gateway.call(subscriptions.update, subscription_id, change)
    for invoice in _unpaid(subscription_id) if membership.stops.all() or letters else ():
        with contextlib.suppress(gateway.StripeRefused):  # paid or voided in this very moment
            if waits:
                _hold(invoice)
            elif _was_held(membership, letters, invoice):
                _let_go(invoice)


def _difference(membership: Membership, read: dict[str, Any], *, waits: bool) -> dict[str, Any]:
    change: dict[str, Any] = {}
    if waits != bool(read.get("pause_collection")):
        change["pause_collection"] = {"behavior": "keep_as_draft"} if waits else ""
    ends_at = outlook.charge_at(membership)
    period_ends = gateway.moment(read["items"]["data"][0]["current_period_end"])
    by_itself = bool(read["cancel_at_period_end"] or read["cancel_at"])
    if ends_at is not None and _moves(membership, ends_at, period_ends, ends_by_itself=by_itself):
        change |= {"trial_end": int(ends_at.timestamp()), "proration_behavior": "none"}
    return change


def _is_stopped(membership: Membership) -> bool:
    return any(stop.lifted_at is None for stop in membership.stops.all())


def _unpaid(subscription_id: str) -> list[dict[str, Any]]:
    """Drafts first: one that was finalized meanwhile is met among the open ones."""
    listed = gateway.client().v1.invoices.list
    asked = ({"subscription": subscription_id, "status": status} for status in ("draft", "open"))
    return [invoice for params in asked for invoice in gateway.read_all(listed, params)]


def _hold(invoice: dict[str, Any]) -> None:
    """What was asked for before is not tried meanwhile."""
    if invoice["auto_advance"]:
        change = {"auto_advance": False, "metadata": {HELD: "yes"}}
        gateway.call(gateway.client().v1.invoices.update, invoice["id"], change)


def _was_held(membership: Membership, letters: list[Message], invoice: dict[str, Any]) -> bool:
    """By us, or by Stripe because it was made while nothing was to be collected. What staff hold back by hand is theirs
    to let go."""
    if invoice["auto_advance"]:
        return False
    made = gateway.moment(invoice["created"])
    under = any(s.opened_at <= made and (s.lifted_at is None or made < s.lifted_at) for s in membership.stops.all())
    under = under or any(letter.bounced_at and letter.bounced_at <= made for letter in letters)
    return bool((invoice["metadata"] or {}).get(HELD)) or (invoice["status"] == "draft" and under)


def _let_go(invoice: dict[str, Any]) -> None:
    """Stripe collects neither by itself after a pause. Nobody pays for a period that has passed under one."""
    if any(gateway.moment(line["period"]["end"]) > clock.now() for line in invoice["lines"]["data"]):
        change = {"auto_advance": True, "metadata": {HELD: ""}}
        gateway.call(gateway.client().v1.invoices.update, invoice["id"], change)
    else:
        leftovers.drop(invoice)
