"""Farewells: what a cancellation, its undoing and a membership's planned end are here, with the letter for each.

Called by sync inside its transaction (a change read at Stripe, whoever made it) and by leaving.py for memberships
that have nothing at Stripe. Nothing here calls Stripe.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from billing import dunning, endings, next_charge, operations, outlook, refund_quotes
from billing.models import LIVE, Operation, Subscription
from billing.outlook import Kind
from membership import calendar, lifecycle, messages
from membership.errors import DomainError
from membership.models import Membership, Status, Term

if TYPE_CHECKING:
    from datetime import datetime

CANCEL_NOW = "cancel_now"
# Stripe's words for an end that nobody here decided; its letter is the dunning's or the dispute's, not ours.
NOT_BY_DECISION = frozenset({"payment_failed", "payment_disputed"})


class Changed(DomainError):
    """What canceling means has changed between the page and the click; the person must read it again."""

    code = "changed_meanwhile"
    message = "Something changed while you were reading. Please look at it again."


@transaction.atomic
def want_now(*, membership: Membership, at: datetime, actor: str) -> list[Operation]:
    """Note that what is unpaid ends now. From this commit on, money that still arrives goes back (see `wanted_now`).

    -> an Operation for each subscription to cancel. Raises Changed if nothing is unpaid any more.
    """
    membership = Membership.objects.lock(membership.pk)
    if membership.status == Status.ENDED:
        return []
    if outlook.kind_of(membership, at=at) not in {Kind.AT_ONCE, Kind.PLACE}:
        raise Changed
    live = Subscription.objects.filter(membership=membership, status__in=LIVE)
    return [note_now(membership=membership, subscription=subscription, actor=actor) for subscription in live]


def note_now(*, membership: Membership, subscription: Subscription, actor: str) -> Operation:
    """Decide: this subscription is canceled now, and what is unpaid of it dropped (leaving.repeat). Safe to repeat."""
    return operations.note(
        key=f"{CANCEL_NOW}:{subscription.stripe_id}",
        kind=CANCEL_NOW,
        params={"subscription": subscription.stripe_id, "membership": membership.pk, "actor": actor},
        member=membership.member,
    )


def wanted_now(subscription_id: str) -> bool:
    """Whether its member ended this subscription at once: it must charge nobody any more."""
    return operations.is_noted(f"{CANCEL_NOW}:{subscription_id}")


def follow(*, membership: Membership, subscription: Subscription, reason: str, at: datetime, actor: str) -> None:
    """A cancellation at Stripe, scheduled, taken back or at once, is ours too. The mirror decides: it keeps the newest
    read, so a slow older one undoes nothing. `reason`: Stripe's `cancellation_details.reason`.
    """
    membership = Membership.objects.with_facts().get(pk=membership.pk)
    subscription.refresh_from_db()
    live = subscription.status in LIVE
    over = membership.status == Status.ENDED
    if membership.status in lifecycle.LIVING and live and not subscription.ends_by_itself:
        _renews_there(membership, subscription, at, actor)
    elif membership.status in lifecycle.LIVING:
        over = outlook.kind_of(membership, at=at) == Kind.AT_ONCE
        membership = cancel(membership=membership, at=at, actor=actor, tell=reason not in NOT_BY_DECISION)
        over = over or membership.status == Status.ENDED
    if live and over:  # at Stripe it may go on to the end of a period that nobody paid for, and charge for it
        note_now(membership=membership, subscription=subscription, actor=actor)
    elif not live:
        see_out(membership=membership, at=at)


def _renews_there(membership: Membership, subscription: Subscription, at: datetime, actor: str) -> None:
    """A cancellation that was taken back at Stripe; but an end that money was given back for cannot be."""
    if membership.cut_at is not None:
        endings.stop_again(membership)
    elif membership.canceled_at is not None and not wanted_now(subscription.stripe_id):
        stay(membership=membership, at=at, actor=actor)


@transaction.atomic
def cancel(*, membership: Membership, at: datetime, actor: str, tell: bool = True) -> Membership:
    """No further renewal; told once. Canceled already, or ended: nothing happens. Raises lifecycle.NotPossible."""
    membership = Membership.objects.lock(membership.pk)
    if not _is_news(membership):
        return membership
    kind = outlook.kind_of(membership, at=at)
    context = _words(membership, kind)
    membership = lifecycle.cancel(membership=membership, at=at, actor=actor)
    if tell and kind != Kind.PLACE and not _ends_for_cause(membership):
        _write("membership_canceled", membership, at, context | {"ended": membership.status == Status.ENDED})
    return membership


def tell_of_cancellation(*, membership: Membership) -> None:
    """The letter of a cancellation that was withheld because money was to go back, which was refused then."""
    membership = Membership.objects.lock(membership.pk)
    if membership.canceled_at is None or _ends_for_cause(membership):
        return
    context = _words(membership, Kind.RUNS_ON) | {"ended": membership.status == Status.ENDED}
    _write("membership_canceled", membership, membership.canceled_at, context)


def _ends_for_cause(membership: Membership) -> bool:
    """Cut short, or about to be by a refund that Stripe has not answered: such an end has a letter of its own."""
    return membership.cut_at is not None or bool(refund_quotes.standing_decision(membership))


def _is_news(membership: Membership) -> bool:
    return membership.canceled_at is None and membership.status != Status.ENDED


@transaction.atomic
def stay(*, membership: Membership, at: datetime, actor: str) -> Membership:
    """Renew after all; told once. Not canceled: nothing happens. Raises lifecycle.NotPossible."""
    membership = Membership.objects.lock(membership.pk)
    if membership.canceled_at is None:
        return membership
    membership = lifecycle.undo_cancel(membership=membership, at=at, actor=actor)
    _write("membership_stays", membership, at, _words(membership, Kind.RUNS_ON))
    return membership


@transaction.atomic
def see_out(*, membership: Membership, at: datetime) -> bool:
    """End the row of a membership that ran out as planned, and say goodbye. -> whether it was time.

    Its standing has been "lapsed" since `entitled_until`, by the clock; this frees the place and writes the letter.
    """
    membership = Membership.objects.lock(membership.pk)
    until = membership.entitled_until
    if membership.status not in lifecycle.LIVING or membership.renewal_expected or until is None or at < until:
        return False
    membership = lifecycle.end(membership=membership, reason=Membership.EndReason.LAPSED, at=at, actor="system")
    if membership.cut_at is None:
        _write("membership_ended", membership, at, _words(membership, Kind.RUNS_ON))
    return True


def _words(membership: Membership, kind: Kind) -> dict[str, Any]:
    """What the letters speak of."""
    until = membership.entitled_until
    return {
        "membership": membership,
        "kind": kind.value,
        "last_day": calendar.last_day(until, membership.time_zone) if until else None,
        "price": next_charge.price(membership),
        "charge_at": outlook.charge_at(membership),
        "unpaid": dunning.unpaid_of(membership),
        "was_trial": _was_trial(membership),
    }


def _was_trial(membership: Membership) -> bool:
    return all(term.source == Term.Source.TRIAL for term in membership.terms.all())


def _write(kind: str, membership: Membership, at: datetime, context: dict[str, Any]) -> None:
    """One letter an act: its moment is part of the key, since a mind may change more than once."""
    key = f"{kind}:{membership.pk}:{at.isoformat()}"
    messages.write(key=key, kind=kind, member=membership.member, at=at, context=context)
