"""Notices before a renewal: what will be charged and when, told 35 and 7 days before. Nobody can opt out of them.

Which are owed is computed from facts, whenever a membership changes (`plan`, called by billing's receiver); a row says
when each is due, and the sweep sends what is due and unsent, so a day on which nothing ran loses none. What was told
is kept with it: when a fact changes afterwards (price, date, plan) it is told anew (`look_again`).

For terms of six months or longer 35 and 7 days satisfy every legal window known. A plan paid by the month has none:
twelve letters of warning a year would be noise, and each receipt says what comes next; but the first charge after a
trial is announced whatever the plan.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.db import transaction

from billing import next_charge
from billing.models import Notice
from membership import clock, messages, timeline
from membership.models import Membership, Plan, Status, Term

if TYPE_CHECKING:
    from billing.next_charge import Charge

RENEWAL = Notice.Kind.RENEWAL


@dataclass(frozen=True)
class Step:
    """A notice's place in the calendar: due so long before the charge, in time until so long before it."""

    name: str
    before: timedelta
    latest: timedelta


EARLY = Step("T-35", timedelta(days=35), timedelta(days=30))
SOON = Step("T-7", timedelta(days=7), timedelta(days=3))


@dataclass(frozen=True)
class Owed:
    """A step of the renewal that follows `term`."""

    term: Term
    step: str
    due_at: datetime
    latest_at: datetime


def steps(*, term: Term, plan: Plan) -> tuple[Step, ...]:
    """The steps before the charge at the end of `term`, for the next term of `plan`."""
    if plan.term_interval == Plan.Interval.YEAR:
        return (EARLY, SOON)
    return (SOON,) if term.source == Term.Source.TRIAL else ()


def owed(membership: Membership) -> list[Owed]:
    """What its member is to be told of the next renewal, in order; nothing when none will be charged. Pure.

    A step that lay in the past when its term became known (a short trial, some free days) is not owed.
    """
    term = max(membership.terms.all(), key=lambda t: t.starts_at, default=None)
    if term is None or not _is_expected(membership):
        return []
    found = [
        Owed(term, step.name, term.ends_at - step.before, term.ends_at - step.latest)
        for step in steps(term=term, plan=membership.plan)
    ]
    return [one for one in found if one.due_at >= term.recorded_at]


def _is_expected(membership: Membership) -> bool:
    """Whether a renewal will be charged, as far as facts tell."""
    expected = membership.status == Status.ACTIVE and membership.renewal_expected and membership.plan.renews
    return expected and membership.canceled_at is None and membership.cut_at is None


def plan(*, membership: Membership, at: datetime) -> None:
    """Make the unsent rows match what is owed, and look again at what was told. Inside the change's transaction."""
    wanted = {one.step: one for one in owed(membership)}
    term = next((one.term for one in wanted.values()), None)
    rows = list(Notice.objects.filter(membership=membership, kind=RENEWAL))
    Notice.objects.filter(pk__in=[r.pk for r in rows if r.issue == 0 and not _stands(r, wanted, term)]).delete()
    known = {r.step for r in rows if r.term == term and (r.issue or _stands(r, wanted, term))}
    for one in wanted.values():
        moved = {"due_at": one.due_at, "latest_at": one.latest_at}
        if one.step not in known:
            Notice.objects.create(membership=membership, kind=RENEWAL, term=one.term, step=one.step, **moved)
        else:
            unsent = Notice.objects.filter(membership=membership, kind=RENEWAL, term=term, step=one.step, done_at=None)
            unsent.filter(issue=0).exclude(latest_at=one.latest_at).update(**moved)
    look_again(membership=membership, at=at)


def _stands(row: Notice, wanted: dict[str, Owed], term: Term | None) -> bool:
    """Whether an unsent row is still owed. One that was skipped stays as the proof that it was."""
    return bool(row.skipped_reason) or (row.term == term and row.step in wanted)


def look_again(*, membership: Membership, at: datetime) -> None:
    """Let the sweep compare what was told last with the facts as they are now, while the charge is still ahead."""
    told = Notice.objects.filter(membership=membership, kind=RENEWAL, issue__gte=1).order_by("-sent_at", "-pk").first()
    if told and datetime.fromisoformat(told.announced["renews_at"]) > at:
        Notice.objects.filter(pk=told.pk).update(due_at=at, done_at=None, attempts=0, seen_at=None)


def handle(notice: Notice) -> None:
    """Send a renewal's notice that is due, or again if what it told has changed. Raises StripeUnavailable."""
    membership = Membership.objects.with_facts().get(pk=notice.membership_id)
    charge = next_charge.ask(membership) if _speaks(notice, membership) else None
    with transaction.atomic():
        membership = Membership.objects.lock(membership.pk)
        held = Notice.objects.filter(pk=notice.pk).first()
        if held is not None:
            _tell(held, membership, charge, clock.now())


def _speaks(notice: Notice, membership: Membership) -> bool:
    """What was told is told anew when it is no longer so, also where free days leave no room for another step."""
    return bool(owed(membership)) or (notice.was_sent and _is_expected(membership))


def _tell(notice: Notice, membership: Membership, charge: Charge | None, at: datetime) -> None:
    last = max(membership.terms.all(), key=lambda t: t.starts_at)
    if charge is None or not _speaks(notice, membership) or _paid_since(notice, membership) or charge.at <= at:
        return _skip(notice, "nothing_to_charge" if charge is None or charge.at > at else "missed")
    if notice.issue == 0 and _overtaken(notice, membership, at):
        return _skip(notice, "overtaken")
    facts = announcement(membership, last, charge)
    if {**facts, "renews_at": ""} == {**notice.announced, "renews_at": ""}:
        return None
    _send(notice, membership, facts, at)
    return None


def _paid_since(notice: Notice, membership: Membership) -> bool:
    later = [t for t in membership.terms.all() if t.starts_at >= notice.term.ends_at]
    return any(t.source == Term.Source.PAID for t in later)


def _overtaken(notice: Notice, membership: Membership, at: datetime) -> bool:
    """A later step is due as well: the one letter that is still in time is enough."""
    later = [one for one in owed(membership) if one.term == notice.term and one.due_at <= at]
    return any(one.latest_at > notice.latest_at for one in later)


def _skip(notice: Notice, reason: str) -> None:
    """Nothing to say. What was told before stays as its proof."""
    if notice.issue == 0:
        Notice.objects.filter(pk=notice.pk).update(skipped_reason=reason)


def announcement(membership: Membership, term: Term, charge: Charge) -> dict[str, Any]:
    """The fingerprint of a notice: all that it tells, so that any change of it is seen. Amounts in minor units."""
    zone = ZoneInfo(membership.member.user.time_zone)
    return {
        "renews_at": charge.at.isoformat(),
        "day": charge.at.astimezone(zone).date().isoformat(),
        "total": charge.total,
        "due": charge.due,
        "currency": charge.currency,
        "plan": membership.plan.code,
        "tier": membership.plan.tier.code,
    }


def _send(notice: Notice, membership: Membership, facts: dict[str, Any], at: datetime) -> None:
    issue = notice.issue + 1
    reference = f"notice:{notice.pk}:{issue}"
    message = messages.write(
        key=reference,
        kind="renewal_notice",
        member=membership.member,
        at=at,
        context={
            "facts": facts,
            "day": datetime.fromisoformat(facts["day"]).date(),
            "before": _before(notice),
            "plan": membership.plan,
            "tier": membership.plan.tier,
        },
    )
    Notice.objects.filter(pk=notice.pk).update(
        announced=facts, issue=issue, message=message, sent_at=notice.sent_at or at
    )
    data = {"notice": notice.pk, "step": notice.step, "issue": issue, **facts}
    timeline.write(
        member=membership.member, kind="notice.renewal", at=at, actor="system", data=data, source_ref=reference
    )


def _before(notice: Notice) -> dict[str, Any]:
    """What the notice said before, for one that is told anew."""
    if not notice.issue:
        return {}
    return {**notice.announced, "day": datetime.fromisoformat(notice.announced["day"]).date()}
