"""What staff do with a request: claim, answer, note, close, reopen. Each is one transaction, and audited.

A claim says who has it in hand; anybody of the desk may answer all the same, and hand a claim back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_noop

from membership import audit, timeline
from membership.errors import DomainError
from perks import house_uses
from perks.concierge import letters
from perks.concierge.asking import locked
from perks.models import ConciergeEntry, ConciergeRequest, Redemption

if TYPE_CHECKING:
    from datetime import datetime

    from membership.models import Staff

Kind = ConciergeEntry.Kind
FREE = Q(claimed_by=None)


class Taken(DomainError):
    """Somebody else was first."""

    code = "already_claimed"
    message = gettext_noop("A colleague has this request in hand already.")


class NotClaimed(DomainError):
    code = "not_claimed"
    message = gettext_noop("Nobody has this request in hand.")


class IsClosed(DomainError):
    code = "request_closed"
    message = gettext_noop("This request is closed. Reopen it first.")


class IsOpen(DomainError):
    code = "request_open"
    message = gettext_noop("This request is open.")


class Outcome(NamedTuple):
    """What a request came to. `counts` False: it takes nothing of the allowance (ours, a duplicate, nobody's). Worth to
    the member and cost to the house in minor units of the use's currency."""

    counts: bool
    worth: int
    cost: int
    words: str


@transaction.atomic
def claim(*, request: ConciergeRequest, staff: Staff, at: datetime) -> None:
    """Take it in hand. Of any number at once exactly one has it. Raises Taken, IsClosed."""
    if locked_out := _closed(request):
        raise locked_out
    mine = ConciergeRequest.objects.filter(FREE, pk=request.pk, closed_at=None)
    if not mine.update(claimed_by=staff, claimed_at=at):
        raise Taken
    _audit("claim_request", request, staff, at)


def _closed(request: ConciergeRequest) -> IsClosed | None:
    shut = ConciergeRequest.objects.filter(pk=request.pk, closed_at__isnull=False).exists()
    return IsClosed() if shut else None


@transaction.atomic
def put_back(*, request: ConciergeRequest, staff: Staff, at: datetime) -> None:
    """Nobody has it in hand any more: a shift is over, a colleague is away. Raises NotClaimed."""
    held = ConciergeRequest.objects.filter(pk=request.pk, claimed_by__isnull=False)
    whose = held.values_list("claimed_by", flat=True).first()
    if not held.update(claimed_by=None, claimed_at=None):
        raise NotClaimed
    _audit("put_request_back", request, staff, at, held_by=whose)


@transaction.atomic
def answer(*, request: ConciergeRequest, staff: Staff, text: str, at: datetime, once: str = "") -> None:
    """The member reads it in the portal and in a mail; nobody waits any more. Sent twice (`once`), it is told once.
    Raises IsClosed."""
    now = _open(request)
    if once and now.entries.filter(once=once).exists():
        return
    entry = ConciergeEntry.objects.create(request=now, kind=Kind.ANSWER, text=text, staff=staff, at=at, once=once)
    now.due_at = None
    now.first_answered_at = now.first_answered_at or at
    now.save(update_fields=["due_at", "first_answered_at"])
    letters.answered(now, entry, at=at)
    _record("concierge.answered", now, staff, at)
    _audit("answer_request", now, staff, at, entry=entry.pk)


@transaction.atomic
def note(*, request: ConciergeRequest, staff: Staff, text: str, at: datetime) -> None:
    """For colleagues only."""
    entry = ConciergeEntry.objects.create(request=request, kind=Kind.NOTE, text=text, staff=staff, at=at)
    _audit("note_request", request, staff, at, entry=entry.pk)


@transaction.atomic
def close(*, request: ConciergeRequest, staff: Staff, outcome: Outcome, at: datetime) -> None:
    """It is done. The use counts once, when it is first closed; later closings tell only its value anew. Raises
    IsClosed."""
    now = _open(request)
    if outcome.counts and may_count(now):
        house_uses.commit(use=now.use, at=at, worth=outcome.worth, cost=outcome.cost)
    else:
        house_uses.free(use=now.use, at=at)
    now.closed_at, now.due_at, now.claimed_by, now.claimed_at = at, None, None, None
    now.save(update_fields=["closed_at", "due_at", "claimed_by", "claimed_at"])
    ConciergeEntry.objects.create(request=now, kind=Kind.CLOSED, text=outcome.words, staff=staff, at=at)
    use = Redemption.objects.get(pk=now.use_id)
    worth = {use.currency: use.worth} if use.status == Redemption.Status.COMMITTED else {}
    _record("concierge.closed", now, staff, at, worth=worth)
    said = {"counts": bool(worth), "worth": use.worth, "cost": use.cost, "currency": use.currency}
    _audit("close_request", now, staff, at, **said)
    letters.closed(now, counts=bool(worth), at=at)


def may_count(request: ConciergeRequest) -> bool:
    """Whether its use is still there to count: once given back, it stays so."""
    return Redemption.objects.filter(pk=request.use_id, status__in=["held", "committed"]).exists()


@transaction.atomic
def reopen(*, request: ConciergeRequest, staff: Staff, at: datetime) -> None:
    """It is not done after all. Nothing is counted anew, and nobody waits until the member writes. Raises IsOpen."""
    now = locked(request)
    if now.closed_at is None:
        raise IsOpen
    now.closed_at = None
    now.save(update_fields=["closed_at"])
    ConciergeEntry.objects.create(request=now, kind=Kind.REOPENED, staff=staff, at=at)
    _record("concierge.reopened", now, staff, at)
    _audit("reopen_request", now, staff, at)


def _open(request: ConciergeRequest) -> ConciergeRequest:
    now = locked(request)
    if now.closed_at is not None:
        raise IsClosed
    return now


def _record(kind: str, request: ConciergeRequest, staff: Staff, at: datetime, **said: Any) -> None:
    data = {"request": request.pk} | {name: value for name, value in said.items() if value}
    timeline.write(member=request.member, kind=kind, at=at, actor=staff.actor, data=data)


def _audit(verb: str, request: ConciergeRequest, staff: Staff, at: datetime, **said: Any) -> None:
    data = {"request": request.pk, **said}
    audit.write(actor=staff.actor, verb=verb, subject=f"member:{request.member_id}", at=at, data=data)
