"""What every verb does: lock, check, and in the end settle: recompute, save, record, announce."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from membership import audit, standing, timeline
from membership.errors import DomainError
from membership.models import Membership, Status, Transition
from membership.signals import membership_changed

if TYPE_CHECKING:
    from datetime import datetime

LIVING = {Status.ACTIVE, Status.SUSPENDED}
ALLOWED: dict[str, set[Status]] = {
    "add_term": {Status.PENDING, *LIVING},
    "change_tier": LIVING,
    "plan_renewal": LIVING,
    "suspend": LIVING,
    "pause": {Status.ACTIVE},
    "end_pause": LIVING,
    "cancel": {Status.PENDING, *LIVING},
    "undo_cancel": LIVING,
    "end": {Status.PENDING, *LIVING},
}


class AlreadyMember(DomainError):
    code = "already_member"
    message = "There is a membership already."


class NotPossible(DomainError):
    """The membership's state does not allow this verb."""

    code = "not_possible_now"
    message = "The membership's state does not allow this."


class NothingToPause(DomainError):
    code = "nothing_to_pause"
    message = "Only a running term can be paused, until a later moment and once at a time."


def locked(membership: Membership) -> Membership:
    """The membership, fresh and locked for this transaction (SQLite: the transaction itself is the lock)."""
    return Membership.objects.lock(membership.pk)


def check(membership: Membership, verb: str) -> Status:
    if membership.status not in ALLOWED[verb]:
        raise NotPossible(f"{verb} is not possible while the membership is {membership.status}.")
    return Status(membership.status)


def settle(
    membership: Membership,
    verb: str,
    before: Status,
    at: datetime,
    actor: str,
    data: dict[str, Any],
    source_ref: str = "",
) -> Membership:
    """Recompute what follows from the facts, save, record, announce."""
    facts = Membership.objects.with_facts().get(pk=membership.pk)
    for field in ("plan", "renewal_expected", "canceled_at", "cut_at", "ended_at", "end_reason"):
        setattr(facts, field, getattr(membership, field))
    facts.entitled_until = standing.computed_entitled_until(facts)
    facts.status = standing.computed_status(facts)
    facts.save()
    record(facts, verb, before, at, actor, data, source_ref)
    return facts


def record(
    membership: Membership,
    verb: str,
    before: str,
    at: datetime,
    actor: str,
    data: dict[str, Any],
    source_ref: str = "",
) -> None:
    if before != membership.status:
        Transition.objects.create(
            membership=membership, verb=verb, from_status=before, to_status=membership.status, at=at, actor=actor
        )
    told = {"membership": membership.pk, **data}
    timeline.write(
        member=membership.member, kind=f"membership.{verb}", at=at, actor=actor, data=told, source_ref=source_ref
    )
    audit.write(actor=actor, verb=verb, subject=f"membership:{membership.pk}", at=at, data=data)
    membership_changed.send(sender=Membership, membership=membership, at=at)


def iso(moment: datetime) -> str:
    return moment.isoformat()


def end_now(membership: Membership, reason: str, at: datetime, actor: str) -> Membership:
    """End at `at`. A reason that stands already, that of a cut to come, yields only to another cause."""
    before = Status(membership.status)
    if not membership.end_reason or reason in Membership.FOR_CAUSE:
        membership.end_reason = reason
    membership.ended_at, membership.renewal_expected = at, False
    return settle(membership, "end", before, at, actor, {"reason": membership.end_reason})
