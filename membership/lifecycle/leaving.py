"""Leaving: the member's own decision, its undoing, and an end for a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from membership import standing
from membership.lifecycle.recording import NotPossible, check, end_now, iso, locked, settle
from membership.models import Membership, Status
from membership.standing import Standing

if TYPE_CHECKING:
    from datetime import datetime


@transaction.atomic
def cancel(*, membership: Membership, at: datetime, actor: str) -> Membership:
    """No further renewal. What is paid for goes on to its end; what is not (pending, grace) ends now."""
    membership = locked(membership)
    before = check(membership, "cancel")
    if membership.status == Status.PENDING:
        return end_now(membership, Membership.EndReason.EXPIRED, at, actor)
    if standing.at(membership, at) in {Standing.GRACE, Standing.LAPSED}:
        return end_now(membership, Membership.EndReason.LAPSED, at, actor)
    if membership.canceled_at is not None:
        return membership
    membership.renewal_expected, membership.canceled_at = False, at
    return settle(membership, "cancel", before, at, actor, {})


@transaction.atomic
def undo_cancel(*, membership: Membership, at: datetime, actor: str) -> Membership:
    """Renew after all, while the paid term still runs. An end for cause stays."""
    membership = locked(membership)
    before = check(membership, "undo_cancel")
    if membership.cut_at is not None:
        raise NotPossible("Its end is decided.")
    if membership.canceled_at is None or standing.at(membership, at) == Standing.LAPSED:
        raise NotPossible("There is no cancellation to undo.")
    membership.renewal_expected, membership.canceled_at = membership.plan.renews, None
    return settle(membership, "undo_cancel", before, at, actor, {})


@transaction.atomic
def end(*, membership: Membership, reason: str, at: datetime, actor: str, cut_at: datetime | None = None) -> Membership:
    """End for `reason`. For cause, nothing is granted from `cut_at` (default `at`) on; a later cut waits its day."""
    membership = locked(membership)
    if membership.status == Status.ENDED:
        return membership
    before = check(membership, "end")
    for_cause = reason in Membership.FOR_CAUSE and membership.entitled_until is not None
    if for_cause:
        membership.cut_at = cut_at or at
    if for_cause and membership.cut_at is not None and membership.cut_at > at:
        membership.end_reason, membership.renewal_expected = reason, False
        return settle(membership, "end", before, at, actor, {"reason": reason, "cut_at": iso(membership.cut_at)})
    return end_now(membership, reason, at, actor)
