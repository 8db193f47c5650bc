"""Whom a change of a perk reaches: who holds it and under what, who lives in the tier without it, who renews into it.

Counted by the database, however many members there are; settings differ in a few ways only, and are compared once each.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db.models import Count, F, Max, Min, OuterRef, Subquery
from django.db.models.functions import Coalesce

from membership.models import Membership, Term, Tier, TierChange
from perks import improvement, kinds
from perks.models import Grant

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from django.db.models import QuerySet

    from perks.models import Perk


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Memberships in a tier, by what `settings` would mean to them. `loses`: in which settings somebody gets less.

    `renewals` are those that are expected to buy the tier anew, the first and the last of them when.
    """

    same: int = 0
    better: int = 0
    worse: int = 0
    without: int = 0
    loses: list[str] = field(default_factory=list)
    renewals: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None

    @property
    def holders(self) -> int:
        return self.same + self.better + self.worse

    @property
    def gain(self) -> int:
        return self.better + self.without

    @property
    def may_be_given(self) -> bool:
        """Whether it may reach everybody in the tier now: it takes nothing from anybody, and gives somebody more."""
        return not self.worse and self.gain > 0


def of(*, perk: Perk, tier: Tier, settings: Mapping[str, Any] | None, at: datetime) -> Reach:
    """What it would mean if the tier sold the perk under `settings` (None: not at all)."""
    wanted = None if settings is None else kinds.check(perk.kind, settings)
    counts: Counter[str] = Counter()
    loses: set[str] = set()
    for kept, held_by in _held(perk, tier, at):
        held = kinds.check(perk.kind, kept)
        lost = [] if wanted is None else improvement.worse(held, wanted)
        counts["worse" if lost else "same" if wanted in (None, held) else "better"] += held_by
        loses |= set(lost)
    inside = living_in(tier, at).count() if wanted is not None else 0
    return Reach(
        same=counts["same"],
        better=counts["better"],
        worse=counts["worse"],
        without=max(0, inside - counts.total()),
        loses=sorted(loses),
        **_renewals(tier, at),
    )


def _held(perk: Perk, tier: Tier, at: datetime) -> list[tuple[dict[str, Any], int]]:
    """Settings as they were sold, and how many memberships hold the perk under them. By the one that lasts longest."""
    live = sold(perk, at).filter(tier=tier.code)
    last = live.filter(membership=OuterRef("membership")).order_by("-ends_at", "-pk").values("pk")[:1]
    counted = live.filter(pk=Subquery(last)).order_by().values("settings").annotate(held_by=Count("pk"))
    return [(one["settings"], one["held_by"]) for one in counted]


def sold(perk: Perk, at: datetime) -> QuerySet[Grant]:
    """Its grants that were bought and last beyond `at`, of memberships that go on."""
    bought = Grant.objects.filter(perk=perk, source=Grant.Source.TERM, term__isnull=False)
    return bought.filter(ends_at__gt=at, starts_at__lt=F("ends_at"), membership__in=Membership.objects.open())


def living_in(tier: Tier, at: datetime) -> QuerySet[Membership]:
    """Open memberships with paid time in the tier from `at` on: as sold, or as a tier change left it."""
    changed = TierChange.objects.filter(term=OuterRef("pk")).order_by("-changed_at", "-pk")
    left_in = Coalesce(Subquery(changed.values("to_plan__tier__code")[:1]), F("plan__tier__code"))
    terms = Term.objects.filter(ends_at__gt=at).annotate(left_in=left_in).filter(left_in=tier.code)
    return Membership.objects.open().filter(pk__in=terms.values("membership"), cut_at=None)


def _renewals(tier: Tier, at: datetime) -> dict[str, Any]:
    expected = Membership.objects.open().filter(renewal_expected=True, plan__tier=tier, entitled_until__gt=at)
    return expected.aggregate(renewals=Count("pk"), first_at=Min("entitled_until"), last_at=Max("entitled_until"))
