"""The state machine of a membership: the sole writer of Membership, Term, TierChange, Stop and Pause.

Every verb runs in one transaction: lock, check, write, record (transition, timeline, audit), announce. Verbs that
carry a `source_ref` may be told the same fact any number of times. `at` is the product's present moment; `actor` is
"member:7", "staff:3", "stripe" or "system". Callers are billing's sync, the console and the sign-up pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction

from membership import audit, standing, terms, timeline
from membership.errors import DomainError
from membership.models import Member, Membership, Pause, Plan, Status, Stop, Term, TierChange, Transition
from membership.signals import membership_changed
from membership.standing import Standing

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


# --- joining ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def reserve(*, member: Member, plan: Plan, currency: str, at: datetime, actor: str) -> Membership:
    """Take the member's one slot for a membership that waits for its payment (status pending).

    Asked again it gives the same row, with the plan now wanted. A lapsed membership gives its slot back.
    Raises AlreadyMember while another membership stands.
    """
    holder = Membership.objects.with_facts().open().filter(member=member).first()
    if holder and standing.at(holder, at) in {Standing.LAPSED, Standing.ENDED}:
        _end(_locked(holder), Membership.EndReason.LAPSED, at, actor)
        holder = None
    if holder is None:
        holder = _claim_slot(member, plan, currency, at, actor)
    if holder.status != Status.PENDING:
        raise AlreadyMember
    if (holder.plan_id, holder.currency) != (plan.pk, currency):
        holder.plan, holder.currency = plan, currency
        holder.renewal_expected = plan.renews
        holder.save(update_fields=["plan", "currency", "renewal_expected"])
        _record(holder, "reserve", holder.status, at, actor, {"plan": plan.code})
    return holder


def _claim_slot(member: Member, plan: Plan, currency: str, at: datetime, actor: str) -> Membership:
    try:
        with transaction.atomic():
            made = Membership.objects.create(
                member=member,
                plan=plan,
                currency=currency,
                renewal_expected=plan.renews,
                time_zone=member.user.time_zone,
                reserved_at=at,
            )
            _record(made, "reserve", "", at, actor, {"plan": plan.code})
            return made
    except IntegrityError:  # another tab was faster: one_open_membership_per_member
        return Membership.objects.with_facts().open().get(member=member)


@transaction.atomic
def add_term(
    *,
    membership: Membership,
    source: str,
    source_ref: str,
    plan: Plan,
    at: datetime,
    actor: str,
    starts_at: datetime | None = None,
    length: terms.Length | None = None,
) -> tuple[Term, bool]:
    """Add the next term, once per `source_ref`; the first one makes the membership active. -> (term, was it new).

    `starts_at` (default `at`) counts for the first term only: later ones begin where the last ends. `length` defaults
    to the plan's. Raises NotPossible on an ended membership: the caller decides what becomes of the money.
    """
    membership = _locked(membership)
    told = _told_before(source_ref)
    if told:
        return told, False
    before = _check(membership, "add_term")
    last = max(membership.terms.all(), key=lambda t: t.starts_at, default=None)
    term = terms.follow(last, source=source, length=length or terms.Length.of_plan(plan), starts_at=starts_at or at)
    term.membership, term.plan, term.source_ref, term.recorded_at = membership, plan, source_ref, at
    term.save(force_insert=True)
    _expect_renewal(membership, term, first=last is None)
    if membership.member.member_since is None:
        Member.objects.filter(pk=membership.member_id, member_since=None).update(member_since=term.starts_at)
    data = {"source": source, "plan": plan.code, "starts_at": _iso(term.starts_at), "ends_at": _iso(term.ends_at)}
    _settle(membership, "add_term", before, at, actor, data, source_ref)
    return term, True


def _told_before(source_ref: str) -> Term | None:
    return Term.objects.filter(source_ref=source_ref).first()


def _expect_renewal(membership: Membership, term: Term, *, first: bool) -> None:
    if term.source == Term.Source.PAID:
        membership.plan = term.plan
        membership.renewal_expected = term.plan.renews and membership.canceled_at is None
    elif term.source == Term.Source.OFFLINE or (first and term.source != Term.Source.TRIAL):
        membership.renewal_expected = False


def extend(*, membership: Membership, days: int, source_ref: str, at: datetime, actor: str) -> Term:
    """Add `days` free days after the last term (a new anchor). The next paid term follows them."""
    term, _ = add_term(
        membership=membership,
        source=Term.Source.COMPLIMENTARY,
        source_ref=source_ref,
        plan=membership.plan,
        at=at,
        actor=actor,
        length=terms.Length.days(days),
    )
    return term


# --- inside a term ----------------------------------------------------------------------------------------------------


@transaction.atomic
def change_tier(*, membership: Membership, to_plan: Plan, source_ref: str, at: datetime, actor: str) -> Membership:
    """Hold another plan's tier from `at` on, inside the running term; once per `source_ref` (its invoice)."""
    membership = _locked(membership)
    if TierChange.objects.filter(source_ref=source_ref).exists():
        return membership
    before = _check(membership, "change_tier")
    term = standing.term_at(membership, at)
    from_plan = standing.plan_at(membership, at)
    if term is None or from_plan is None:
        raise NotPossible
    TierChange.objects.create(term=term, from_plan=from_plan, to_plan=to_plan, changed_at=at, source_ref=source_ref)
    membership.plan = to_plan
    data = {"from": from_plan.code, "to": to_plan.code}
    return _settle(membership, "change_tier", before, at, actor, data, source_ref)


@transaction.atomic
def plan_renewal(*, membership: Membership, plan: Plan, at: datetime, actor: str) -> Membership:
    """Let the next renewal buy another plan (a downgrade waits for it); the running term keeps its tier."""
    membership = _locked(membership)
    before = _check(membership, "plan_renewal")
    membership.plan = plan
    return _settle(membership, "plan_renewal", before, at, actor, {"plan": plan.code})


@transaction.atomic
def pause(*, membership: Membership, until: datetime, at: datetime, actor: str) -> Membership:
    """Rest from `at` until `until`; the running term and those after it end that much later."""
    membership = _locked(membership)
    before = _check(membership, "pause")
    resting = any(p.ends_at > at for p in membership.pauses.all())
    term = standing.term_at(membership, at)
    if term is None or resting or not at < until or at >= term.ends_at:
        raise NothingToPause
    Pause.objects.create(membership=membership, starts_at=at, ends_at=until)
    _shift_terms(membership, from_term=term, by=until - at)
    return _settle(membership, "pause", before, at, actor, {"until": _iso(until)})


@transaction.atomic
def end_pause(*, membership: Membership, at: datetime, actor: str) -> Membership:
    """Go on before the pause was to end; the days not rested come off the term's end again."""
    membership = _locked(membership)
    before = _check(membership, "end_pause")
    resting = standing.pause_at(membership, at)
    term = standing.term_at(membership, at)
    if resting is None or term is None:
        raise NotPossible("There is no pause to end.")
    _shift_terms(membership, from_term=term, by=at - resting.ends_at)
    Pause.objects.filter(pk=resting.pk).update(ends_at=at)
    return _settle(membership, "end_pause", before, at, actor, {})


def _shift_terms(membership: Membership, *, from_term: Term, by: Any) -> None:
    later = [t for t in membership.terms.all() if t.starts_at >= from_term.starts_at]
    moved = terms.shift(sorted(later, key=lambda t: t.starts_at), by)
    # The unique start must hold after every row: move the far end first when time is added, last when it is taken.
    for term in reversed(moved) if by.total_seconds() > 0 else moved:
        term.save(update_fields=["anchor_at", "starts_at", "ends_at"])


# --- stops ------------------------------------------------------------------------------------------------------------


@transaction.atomic
def suspend(*, membership: Membership, source: str, source_ref: str, at: datetime, actor: str) -> Membership:
    """Open a stop, once per source and reference. Perks are held while any stop is open."""
    membership = _locked(membership)
    if Stop.objects.filter(source=source, source_ref=source_ref).exists():
        return membership
    before = _check(membership, "suspend")
    Stop.objects.create(membership=membership, source=source, source_ref=source_ref, opened_at=at)
    return _settle(membership, "suspend", before, at, actor, {"source": source, "ref": source_ref})


@transaction.atomic
def lift(*, membership: Membership, source: str, source_ref: str, at: datetime, actor: str) -> Membership:
    """Lift one stop; any other stays. Lifting twice changes nothing."""
    membership = _locked(membership)
    before = Status(membership.status)
    stops = Stop.objects.filter(membership=membership, source=source, source_ref=source_ref, lifted_at=None)
    if not stops.update(lifted_at=at):
        return membership
    return _settle(membership, "lift", before, at, actor, {"source": source, "ref": source_ref})


# --- leaving ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def cancel(*, membership: Membership, at: datetime, actor: str) -> Membership:
    """No further renewal. What is paid for goes on to its end; what is not (pending, grace) ends now."""
    membership = _locked(membership)
    before = _check(membership, "cancel")
    if membership.status == Status.PENDING:
        return _end(membership, Membership.EndReason.EXPIRED, at, actor)
    if standing.at(membership, at) in {Standing.GRACE, Standing.LAPSED}:
        return _end(membership, Membership.EndReason.LAPSED, at, actor)
    if membership.canceled_at is not None:
        return membership
    membership.renewal_expected, membership.canceled_at = False, at
    return _settle(membership, "cancel", before, at, actor, {})


@transaction.atomic
def undo_cancel(*, membership: Membership, at: datetime, actor: str) -> Membership:
    """Renew after all, while the paid term still runs."""
    membership = _locked(membership)
    before = _check(membership, "undo_cancel")
    if membership.canceled_at is None or standing.at(membership, at) == Standing.LAPSED:
        raise NotPossible("There is no cancellation to undo.")
    membership.renewal_expected, membership.canceled_at = membership.plan.renews, None
    return _settle(membership, "undo_cancel", before, at, actor, {})


@transaction.atomic
def end(*, membership: Membership, reason: str, at: datetime, actor: str, cut_at: datetime | None = None) -> Membership:
    """End for `reason`. For cause, nothing is granted from `cut_at` (default `at`) on; a later cut waits its day."""
    membership = _locked(membership)
    if membership.status == Status.ENDED:
        return membership
    before = _check(membership, "end")
    for_cause = reason in Membership.FOR_CAUSE and membership.entitled_until is not None
    if for_cause:
        membership.cut_at = cut_at or at
    if for_cause and membership.cut_at is not None and membership.cut_at > at:
        membership.renewal_expected = False
        return _settle(membership, "end", before, at, actor, {"reason": reason, "cut_at": _iso(membership.cut_at)})
    return _end(membership, reason, at, actor)


def _end(membership: Membership, reason: str, at: datetime, actor: str) -> Membership:
    before = Status(membership.status)
    membership.ended_at, membership.end_reason, membership.renewal_expected = at, reason, False
    return _settle(membership, "end", before, at, actor, {"reason": reason})


# --- what every verb does ---------------------------------------------------------------------------------------------


def _locked(membership: Membership) -> Membership:
    """The membership, fresh and locked for this transaction (SQLite: the transaction itself is the lock)."""
    return Membership.objects.with_facts().select_for_update(of=("self",)).get(pk=membership.pk)


def _check(membership: Membership, verb: str) -> Status:
    if membership.status not in ALLOWED[verb]:
        raise NotPossible(f"{verb} is not possible while the membership is {membership.status}.")
    return Status(membership.status)


def _settle(
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
    _record(facts, verb, before, at, actor, data, source_ref)
    return facts


def _record(
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


def _iso(moment: datetime) -> str:
    return moment.isoformat()
