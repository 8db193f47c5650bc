"""Coming in and going on: the reserved place, and the terms that follow one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction

from membership import standing, terms
from membership.lifecycle.recording import AlreadyMember, check, end_now, iso, locked, record, settle
from membership.models import Member, Membership, Plan, Status, Term
from membership.standing import Standing

if TYPE_CHECKING:
    from datetime import datetime


@transaction.atomic
def reserve(*, member: Member, plan: Plan, currency: str, at: datetime, actor: str) -> Membership:
    """Take the member's one slot for a membership that waits for its payment (status pending).

    Asked again it gives the same row, with the plan now wanted. A lapsed membership gives its slot back.
    Raises AlreadyMember while another membership stands.
    """
    held = _holder_of(member)
    holder = locked(held) if held else None  # asked under the lock: it may have been paid or renewed this instant
    if holder and standing.at(holder, at) in {Standing.LAPSED, Standing.ENDED}:
        end_now(holder, Membership.EndReason.LAPSED, at, actor)
        holder = None
    if holder is None:
        holder = _claim_slot(member, plan, currency, at, actor)
    if holder.status == Status.ENDED:
        holder = _claim_slot(member, plan, currency, at, actor)
    if holder.status != Status.PENDING:
        raise AlreadyMember
    if (holder.plan_id, holder.currency) != (plan.pk, currency):
        holder.plan, holder.currency = plan, currency
        holder.renewal_expected = plan.renews
        holder.save(update_fields=["plan", "currency", "renewal_expected"])
        record(holder, "reserve", holder.status, at, actor, {"plan": plan.code})
    return holder


def _holder_of(member: Member) -> Membership | None:
    return Membership.objects.open().filter(member=member).first()


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
            record(made, "reserve", "", at, actor, {"plan": plan.code})
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

    `starts_at` (default `at`) counts for the first term only: later ones begin where the last ends, unless whole
    periods between passed under a stop, unpaid. `length` defaults to the plan's. Raises NotPossible on an ended
    membership: the caller decides what becomes of the money.
    """
    membership = locked(membership)
    told = _told_before(source_ref)
    if told:
        return told, False
    before = check(membership, "add_term")
    last = max(membership.terms.all(), key=lambda t: t.starts_at, default=None)
    length, begins = length or terms.Length.of_plan(plan), starts_at or at
    unpaid_since = last.ends_at if last is not None and source == Term.Source.PAID else begins
    interrupted = standing.was_stopped(membership, unpaid_since, begins)
    term = terms.follow(last, source=source, length=length, starts_at=begins, interrupted=interrupted)
    term.membership, term.plan, term.source_ref, term.recorded_at = membership, plan, source_ref, at
    term.save(force_insert=True)
    _expect_renewal(membership, term, first=last is None)
    if membership.member.member_since is None:
        Member.objects.filter(pk=membership.member_id, member_since=None).update(member_since=term.starts_at)
    data = {"ref": source_ref, "source": source, "plan": plan.code}
    data |= {"starts_at": iso(term.starts_at), "ends_at": iso(term.ends_at)}
    settle(membership, "add_term", before, at, actor, data, source_ref)
    return term, True


def _told_before(source_ref: str) -> Term | None:
    return Term.objects.filter(source_ref=source_ref).first()


def _expect_renewal(membership: Membership, term: Term, *, first: bool) -> None:
    if term.source == Term.Source.PAID:
        membership.plan = term.plan
        membership.renewal_expected = term.plan.renews and membership.canceled_at is None
    elif term.source == Term.Source.OFFLINE or (first and term.source != Term.Source.TRIAL):
        membership.renewal_expected = False


@transaction.atomic
def extend(*, membership: Membership, days: int, source_ref: str, at: datetime, actor: str) -> Term:
    """Add `days` free days after the last term (a new anchor), in the plan held until then, whatever the renewal is
    planned to buy. The next paid term follows them."""
    membership = locked(membership)
    last = max((term.ends_at for term in membership.terms.all()), default=at)
    term, _ = add_term(
        membership=membership,
        source=Term.Source.COMPLIMENTARY,
        source_ref=source_ref,
        plan=standing.plan_at(membership, last) or membership.plan,
        at=at,
        actor=actor,
        length=terms.Length.days(days),
    )
    return term
