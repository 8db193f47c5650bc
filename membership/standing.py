"""Standing: what a membership is at a moment. Pure questions to stored facts; nothing here writes or reads a clock.

Every function takes a Membership loaded `with_facts()`, or whose it is, and the moment asked about. A dead worker
cannot make an answer wrong, because no answer was ever stored.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Q, prefetch_related_objects

from membership import calendar
from membership.models import HouseholdSeat, Member, Membership, Pause, Plan, Status, Stop, Term, Tier

if TYPE_CHECKING:
    from django.db.models import QuerySet


class Standing(StrEnum):
    PENDING = "pending"
    CURRENT = "current"
    GRACE = "grace"
    LAPSED = "lapsed"
    PAUSED = "paused"
    SUSPENDED = "suspended"
    ENDED = "ended"


HONORED = frozenset({Standing.CURRENT, Standing.GRACE})  # perks and the card work
HELD = HONORED | {Standing.PAUSED, Standing.SUSPENDED}  # somebody has it, if not the use of it


def at(membership: Membership, moment: datetime) -> Standing:
    """The standing at `moment`, asked as a person would: paid? ended? begun? stopped? resting? covered? awaited?"""
    begun = term_at(membership, moment) is not None
    stopped, resting = open_stop(membership, moment) is not None, pause_at(membership, moment) is not None
    return _standing(membership, moment, begun=begun, stopped=stopped, resting=resting)


def _standing(membership: Membership, moment: datetime, *, begun: bool, stopped: bool, resting: bool) -> Standing:
    if membership.entitled_until is None:
        return Standing.ENDED if membership.status == Status.ENDED else Standing.PENDING
    if membership.cut_at is not None and moment >= membership.cut_at:
        return Standing.ENDED
    if not begun:
        return Standing.PENDING
    if stopped:
        return Standing.SUSPENDED
    if resting:
        return Standing.PAUSED
    if moment < membership.entitled_until:
        return Standing.CURRENT
    return Standing.GRACE if _in_grace(membership, membership.entitled_until, moment) else Standing.LAPSED


def _in_grace(membership: Membership, entitled_until: datetime, moment: datetime) -> bool:
    """Asked of the past as well: before a stop that is open now, grace ran as if it had never come."""
    return _awaits_renewal(membership) and moment < _end_of_grace(membership, entitled_until)


def _awaits_renewal(membership: Membership) -> bool:
    return membership.renewal_expected and membership.plan.renews and membership.status != Status.ENDED


def has_run_out(membership: Membership, moment: datetime) -> bool:
    """Whether its last day is over and nothing is awaited: no more of it is to come."""
    return (
        membership.entitled_until is not None
        and membership.entitled_until <= moment
        and not membership.renewal_expected
    )


def open_stop(membership: Membership, moment: datetime) -> Stop | None:
    """A stop that is open at `moment`, if there is one."""
    return next((s for s in membership.stops.all() if _within(moment, s.opened_at, s.lifted_at)), None)


def was_stopped(membership: Membership, since: datetime, until: datetime) -> bool:
    """Whether a stop was open at some moment between the two."""
    return any(s.opened_at < until and (s.lifted_at is None or since < s.lifted_at) for s in membership.stops.all())


def pause_at(membership: Membership, moment: datetime) -> Pause | None:
    """The pause that `moment` lies in, if there is one."""
    return next((p for p in membership.pauses.all() if _within(moment, p.starts_at, p.ends_at)), None)


def _within(moment: datetime, start: datetime, end: datetime | None) -> bool:
    return start <= moment and (end is None or moment < end)


def grace_until(membership: Membership) -> datetime | None:
    """The exclusive end of grace: local midnight, the plan's days after entitled_until.

    Grace stands still under a stop: when that is lifted, the time it took is given back, rounded up to midnight.
    None: no renewal is awaited, or a stop is still open, so that nobody can say yet.
    """
    if membership.entitled_until is None or not _awaits_renewal(membership):
        return None
    held_by = next((s for s in membership.stops.all() if s.lifted_at is None), None)
    until = _end_of_grace(membership, membership.entitled_until)
    return None if held_by is not None and held_by.opened_at < until else until


def _end_of_grace(membership: Membership, entitled_until: datetime) -> datetime:
    """The end as the stops that were lifted leave it. One opened after it gives nothing back."""
    day = entitled_until.astimezone(ZoneInfo(membership.time_zone)).date()
    until = calendar.day_start(day + timedelta(days=membership.plan.grace_days), membership.time_zone)
    counted = entitled_until
    for stop in sorted(membership.stops.all(), key=lambda s: s.opened_at):
        begins = max(stop.opened_at, counted)
        if stop.lifted_at is None or stop.lifted_at <= begins or begins >= until:
            continue
        until, counted = _midnight_from(until + (stop.lifted_at - begins), membership.time_zone), stop.lifted_at
    return until


def _midnight_from(moment: datetime, zone: str) -> datetime:
    """The first local midnight at or after `moment`."""
    return calendar.midnight_after(moment - timedelta(microseconds=1), zone)


def term_at(membership: Membership, moment: datetime) -> Term | None:
    """The term that counts at `moment`: the latest that has begun (it also speaks for the hours and grace after it)."""
    begun = [t for t in membership.terms.all() if t.starts_at <= moment]
    return max(begun, key=lambda t: t.starts_at) if begun else None


def plan_at(membership: Membership, moment: datetime) -> Plan | None:
    """The plan held at `moment`: the term's own, or that of the last tier change inside it."""
    term = term_at(membership, moment)
    if term is None:
        return None
    changes = [c for c in term.tier_changes.all() if c.changed_at <= moment]
    return max(changes, key=lambda c: (c.changed_at, c.pk)).to_plan if changes else term.plan


def tier_at(membership: Membership, moment: datetime) -> Tier | None:
    """The tier held at `moment`; None before the first term."""
    plan = plan_at(membership, moment)
    return plan.tier if plan else None


def next_change(membership: Membership, moment: datetime) -> datetime | None:
    """The first known moment after `moment` at which standing or tier can differ. None: none is known."""
    moments = [membership.entitled_until, membership.cut_at, grace_until(membership)]
    moments += [t.starts_at for t in membership.terms.all()]
    moments += [m for p in membership.pauses.all() for m in (p.starts_at, p.ends_at)]
    return min((m for m in moments if m is not None and m > moment), default=None)


def computed_entitled_until(membership: Membership) -> datetime | None:
    """`entitled_until` as the facts give it: the first local midnight after the last term's end, or an earlier cut."""
    last = max((t.ends_at for t in membership.terms.all()), default=None)
    if last is None:
        return None
    midnight = calendar.midnight_after(last, membership.time_zone)
    return midnight if membership.cut_at is None else min(midnight, membership.cut_at)


def computed_status(membership: Membership) -> Status:
    """`status` as the facts give it. For writers and checkers."""
    if membership.ended_at is not None:
        return Status.ENDED
    if not membership.terms.all():
        return Status.PENDING
    return Status.SUSPENDED if any(s.lifted_at is None for s in membership.stops.all()) else Status.ACTIVE


def current_membership(member: Member, moment: datetime) -> Membership | None:
    """The membership that speaks for `member`: the own one if it is held, else that of the open seat, else the own."""
    return speaking(member, own_membership(member), moment)


def speaking(member: Member, own: Membership | None, moment: datetime) -> Membership | None:
    """The same where the own one is at hand, loaded with facts."""
    if own is not None and at(own, moment) in HELD:
        return own
    return seat_membership(member, moment) or own


class Speaks(NamedTuple):
    """The membership that speaks for a member, with its plan, and where it stands."""

    membership: Membership
    standing: Standing


def who_speak(members: Iterable[Member], moment: datetime) -> dict[int, Speaks]:
    """current_membership() and at() of many, by the member's id. What at() asks of the facts the database answers, so
    that they are not loaded: it is a page of people in two queries."""
    asked = [member.pk for member in members]
    if not asked:
        return {}
    began = Membership.objects.filter(member__in=asked).exclude(status=Status.ENDED, entitled_until=None)
    own = _stand(began.order_by("reserved_at", "pk"), moment)
    found = {one.membership.member_id: one for one in own}
    seats = HouseholdSeat.objects.filter(holder__in=asked, opened_at__lte=moment, closed_at=None)
    under = dict(seats.order_by("-pk").values_list("holder", "membership"))
    if under:
        theirs = _stand(Membership.objects.filter(pk__in=under.values()), moment)
        payers = {one.membership.pk: one for one in theirs}
        seated = {holder: payers[membership] for holder, membership in under.items()}
        found = seated | {holder: one for holder, one in found.items() if holder not in seated or one.standing in HELD}
    return found


def _stand(memberships: QuerySet[Membership], moment: datetime) -> list[Speaks]:
    its, open_ = {"membership": OuterRef("pk")}, Q(lifted_at=None) | Q(lifted_at__gt=moment)
    found = memberships.select_related("plan").annotate(
        begun=Exists(Term.objects.filter(**its, starts_at__lte=moment)),
        stopped=Exists(Stop.objects.filter(open_, **its, opened_at__lte=moment)),
        resting=Exists(Pause.objects.filter(**its, starts_at__lte=moment, ends_at__gt=moment)),
    )
    over = [one for one in found if one.entitled_until is not None and one.entitled_until <= moment]
    prefetch_related_objects(over, "stops")  # for these days of grace may be counted
    return [
        Speaks(one, _standing(one, moment, begun=one.begun, stopped=one.stopped, resting=one.resting)) for one in found
    ]


def own_membership(member: Member) -> Membership | None:
    """The member's own newest membership, in whatever state it is. A place given back unpaid never was one."""
    own = Membership.objects.with_facts().filter(member=member)
    began = own.exclude(status=Status.ENDED, entitled_until=None)
    return began.order_by("-reserved_at", "-pk").first()


def comes_back(membership: Membership) -> bool:
    """Whether its member was one before: this stay's first term began after the day they first joined."""
    since = membership.member.member_since
    return since is not None and all(since < term.starts_at for term in membership.terms.all())


def seat_membership(member: Member, moment: datetime) -> Membership | None:
    """The membership the member has a seat under. It stays that one when its payer joins anew."""
    return (
        Membership.objects.with_facts()
        .filter(seats__holder=member, seats__opened_at__lte=moment, seats__closed_at=None)
        .first()
    )
