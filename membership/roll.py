"""The roll in figures: how many stand where, who joined and who left. Questions to stored facts, for reports.

A member is counted from the first term's start to the end of what they were entitled to. Who is in grace is still
one; who then does not pay left on the last day that was paid. One who left and joins again joins again.
"""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count, Exists, FilteredRelation, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from membership import standing
from membership.models import OPEN, Membership, Pause, Status, Term, TierChange
from membership.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from django.db.models import QuerySet

    from membership.months import Month

CHUNK = 1000


def by_tier_and_standing(at: datetime) -> Counter[tuple[str, Standing]]:
    """How many memberships hold a slot, by the tier held (its code; "" before the first term) and their standing.

    Those that are plainly current the database counts; each of the few others is asked as a check at the till asks.
    """
    resting = Q(pk__in=Pause.objects.filter(starts_at__lte=at, ends_at__gt=at).values("membership"))
    open_ = Membership.objects.filter(status__in=OPEN)
    others = Q(entitled_until__lte=at) | Q(cut_at__lte=at) | ~Q(status=Status.ACTIVE) | resting
    counts = _current(
        open_.filter(Q(cut_at=None) | Q(cut_at__gt=at), ~resting, status=Status.ACTIVE, entitled_until__gt=at), at
    )
    for membership in open_.filter(others).with_facts().iterator(chunk_size=CHUNK):
        tier = standing.tier_at(membership, at)
        counts[tier.code if tier else "", standing.at(membership, at)] += 1
    return counts


def _current(plain: QuerySet[Membership], at: datetime) -> Counter[tuple[str, Standing]]:
    """Of those plainly current, by tier: nearly all have that of the term that runs, which is one join.

    Who changed tiers, and whose term ended in the course of this last day, are asked for one by one.
    """
    runs = Q(terms__starts_at__lte=at, terms__ends_at__gt=at)
    plain = plain.annotate(running=FilteredRelation("terms", condition=runs)).order_by()
    special = Q(running=None) | Q(pk__in=TierChange.objects.values("term__membership"))
    usual = plain.exclude(special).values_list("running__plan__tier__code").annotate(count=Count("pk"))
    rest = plain.filter(special).annotate(tier=_tier(at)).values_list("tier").annotate(count=Count("pk", distinct=True))
    counts = Counter[tuple[str, Standing]]()
    for tier, count in itertools.chain(usual, rest):
        counts[tier or "", Standing.CURRENT if tier else Standing.PENDING] += count
    return counts


def _tier(at: datetime) -> Coalesce:
    """standing.tier_at, for a query: of the latest term that has begun, or of the last change inside it."""
    begun = Term.objects.filter(membership=OuterRef("pk"), starts_at__lte=at).order_by("-starts_at")
    changes = TierChange.objects.filter(term=OuterRef("pk"), changed_at__lte=at).order_by("-changed_at", "-pk")
    changed = begun.annotate(to=Subquery(changes.values("to_plan__tier__code")[:1])).values("to")
    return Coalesce(Subquery(changed[:1]), Subquery(begun.values("plan__tier__code")[:1]))


@dataclass(frozen=True)
class Movement:
    """A month, or several as one: members at the start, who joined, who left."""

    label: str
    at_start: int
    joined: int
    left: int

    @property
    def at_end(self) -> int:
        return self.at_start + self.joined - self.left

    @property
    def stayed(self) -> int:
        """(end - new): over `at_start` it is the retention."""
        return self.at_end - self.joined


def movements(months: Sequence[Month], at: datetime) -> list[Movement]:
    """Month by month, the oldest first. In the month that runs, up to `at`."""
    joined, left = _joined(months, at), _left(months, at)
    members = joined["before"] - left["before"]
    told = []
    for month in months:
        told.append(Movement(str(month), members, joined[month.key], left[month.key]))
        members = told[-1].at_end
    return told


def as_one(label: str, told: Sequence[Movement]) -> Movement:
    """Months that follow one another, told together."""
    return Movement(label, told[0].at_start, sum(one.joined for one in told), sum(one.left for one in told))


def _joined(months: Sequence[Month], at: datetime) -> dict[str, int]:
    earlier = Term.objects.filter(membership=OuterRef("membership"), starts_at__lt=OuterRef("starts_at"))
    first = Term.objects.filter(~Exists(earlier), starts_at__lte=at)
    counts = {
        month.key: Count("pk", filter=Q(starts_at__gte=month.starts_at, starts_at__lt=month.ends_at))
        for month in months
    }
    return first.aggregate(before=Count("pk", filter=Q(starts_at__lt=months[0].starts_at)), **counts)


def _left(months: Sequence[Month], at: datetime) -> dict[str, int]:
    """By the last day they had: who may come in until midnight on the 31st left in that month."""
    over = Q(ended_at__isnull=False) | Q(renewal_expected=False)
    gone = Membership.objects.filter(over, entitled_until__lte=at)
    counts = {
        month.key: Count("pk", filter=Q(entitled_until__gt=month.starts_at, entitled_until__lte=month.ends_at))
        for month in months
    }
    return gone.aggregate(before=Count("pk", filter=Q(entitled_until__lte=months[0].starts_at)), **counts)
