"""Inside a running membership: another tier, a rest, a stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from membership import standing, terms
from membership.lifecycle.recording import NothingToPause, NotPossible, check, iso, locked, settle
from membership.models import Membership, Pause, Plan, Status, Stop, Term, TierChange

if TYPE_CHECKING:
    from datetime import datetime, timedelta


@transaction.atomic
def change_tier(
    *,
    membership: Membership,
    to_plan: Plan,
    source_ref: str,
    at: datetime,
    actor: str,
    changed_at: datetime | None = None,
) -> Membership:
    """Hold another plan's tier from `changed_at` (default `at`) on, inside the term of that moment; once per
    `source_ref` (its invoice line). The next renewal buys that plan too, unless a later term has been bought already.

    Raises NotPossible where no term had begun.
    """
    membership, changed_at = locked(membership), changed_at or at
    if TierChange.objects.filter(source_ref=source_ref).exists():
        return membership
    before = check(membership, "change_tier")
    term = standing.term_at(membership, changed_at)
    from_plan = standing.plan_at(membership, changed_at)
    if term is None or from_plan is None:
        raise NotPossible
    TierChange.objects.create(
        term=term, from_plan=from_plan, to_plan=to_plan, changed_at=changed_at, source_ref=source_ref
    )
    if all(other.starts_at <= term.starts_at for other in membership.terms.all()):
        membership.plan = to_plan
    data = {"from": from_plan.code, "to": to_plan.code}
    return settle(membership, "change_tier", before, at, actor, data, source_ref)


@transaction.atomic
def plan_renewal(*, membership: Membership, plan: Plan, at: datetime, actor: str) -> Membership:
    """Let the next renewal buy another plan (a downgrade waits for it); the running term keeps its tier."""
    membership = locked(membership)
    before = check(membership, "plan_renewal")
    membership.plan = plan
    return settle(membership, "plan_renewal", before, at, actor, {"plan": plan.code})


@transaction.atomic
def pause(*, membership: Membership, until: datetime, at: datetime, actor: str) -> Membership:
    """Rest from `at` until `until`; the running term and those after it end that much later."""
    membership = locked(membership)
    before = check(membership, "pause")
    resting = any(p.ends_at > at for p in membership.pauses.all())
    term = standing.term_at(membership, at)
    if term is None or resting or not at < until or at >= term.ends_at:
        raise NothingToPause
    Pause.objects.create(membership=membership, starts_at=at, ends_at=until)
    _shift_terms(membership, from_term=term, by=until - at)
    return settle(membership, "pause", before, at, actor, {"until": iso(until)})


@transaction.atomic
def end_pause(*, membership: Membership, at: datetime, actor: str) -> Membership:
    """Go on before the pause was to end; the days not rested come off the term's end again."""
    membership = locked(membership)
    before = check(membership, "end_pause")
    resting = standing.pause_at(membership, at)
    term = standing.term_at(membership, at)
    if resting is None or term is None:
        raise NotPossible("There is no pause to end.")
    _shift_terms(membership, from_term=term, by=at - resting.ends_at)
    Pause.objects.filter(pk=resting.pk).update(ends_at=at)
    return settle(membership, "end_pause", before, at, actor, {})


def _shift_terms(membership: Membership, *, from_term: Term, by: timedelta) -> None:
    later = [t for t in membership.terms.all() if t.starts_at >= from_term.starts_at]
    moved = terms.shift(sorted(later, key=lambda t: t.starts_at), by)
    # The unique start must hold after every row: move the far end first when time is added, last when it is taken.
    for term in reversed(moved) if by.total_seconds() > 0 else moved:
        term.save(update_fields=["anchor_at", "starts_at", "ends_at"])


@transaction.atomic
def suspend(*, membership: Membership, source: str, source_ref: str, at: datetime, actor: str) -> Membership:
    """Open a stop, once per source and reference. Perks are held while any stop is open."""
    membership = locked(membership)
    if Stop.objects.filter(source=source, source_ref=source_ref).exists():
        return membership
    before = check(membership, "suspend")
    Stop.objects.create(membership=membership, source=source, source_ref=source_ref, opened_at=at)
    return settle(membership, "suspend", before, at, actor, {"source": source, "ref": source_ref})


@transaction.atomic
def lift(*, membership: Membership, source: str, source_ref: str, at: datetime, actor: str) -> Membership:
    """Lift one stop; any other stays. Lifting twice changes nothing."""
    membership = locked(membership)
    before = Status(membership.status)
    stops = Stop.objects.filter(membership=membership, source=source, source_ref=source_ref, lifted_at=None)
    if not stops.update(lifted_at=at):
        return membership
    return settle(membership, "lift", before, at, actor, {"source": source, "ref": source_ref})
