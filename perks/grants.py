"""Grants: opened and closed until they match what each term was sold with. The only writer of Grant.

Called by the receiver of membership_changed, inside the transaction of the change. What a member bought stays: a
grant's settings are those of the catalogue when its term (or the paid tier change inside it) was recorded. Only
provisional grants, those of the renewal still to be paid, follow the catalogue until they are sold.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from membership import standing
from membership.models import Membership, Term, Tier, TierChange
from perks import kinds
from perks.models import Grant, Perk, TierPerk

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

Key = tuple[int | None, int | None]  # term, tier change
PROVISIONAL: Key = (None, None)


@dataclass(frozen=True)
class Span:
    """A stretch of a membership in one tier: a term, up to or from a tier change in it, or the renewal awaited."""

    term: Term | None
    change: TierChange | None
    tier: Tier
    starts_at: datetime
    ends_at: datetime

    @property
    def key(self) -> Key:
        return (self.term.pk if self.term else None, self.change.pk if self.change else None)


def spans(membership: Membership) -> list[Span]:
    """The membership's stretches in order, from its facts alone. `membership` is loaded with_facts().

    The last paid one lasts until entitled_until: the hours to midnight belong to what was paid. The renewal awaited
    begins at the term's end where it stays in the tier, else at that midnight, and lasts as long as grace.
    """
    terms = sorted(membership.terms.all(), key=lambda t: t.starts_at)
    found: list[Span] = []
    for term in terms:
        until = term.ends_at if term is not terms[-1] else membership.entitled_until or term.ends_at
        changes = sorted(term.tier_changes.all(), key=lambda c: (c.changed_at, c.pk))
        starts = [term.starts_at, *(max(term.starts_at, min(c.changed_at, until)) for c in changes)]
        tiers = [term.plan.tier, *(c.to_plan.tier for c in changes)]
        for n, change in enumerate((None, *changes)):
            ends_at = starts[n + 1] if n + 1 < len(starts) else until
            found.append(_cut(Span(term, change, tiers[n], starts[n], ends_at), membership.cut_at))
    grace_until = standing.grace_until(membership)
    if terms and grace_until is not None and membership.entitled_until is not None:
        same_tier = found[-1].tier == membership.plan.tier
        starts_at = terms[-1].ends_at if same_tier else membership.entitled_until
        found.append(_cut(Span(None, None, membership.plan.tier, starts_at, grace_until), membership.cut_at))
    return found


def _cut(span: Span, cut_at: datetime | None) -> Span:
    if cut_at is None or cut_at >= span.ends_at:
        return span
    return Span(span.term, span.change, span.tier, span.starts_at, max(span.starts_at, cut_at))


def settle(membership: Membership) -> list[Grant]:
    """Make the membership's term grants match its terms; returns them. Safe to repeat."""
    by_key: defaultdict[Key, list[Grant]] = defaultdict(list)
    for grant in Grant.objects.filter(membership=membership, source=Grant.Source.TERM).select_related("perk"):
        by_key[grant.term_id, grant.change_id].append(grant)
    plan = _Changes(membership)
    for span in spans(membership):
        if span.key == PROVISIONAL:
            plan.offer(span, by_key.pop(PROVISIONAL, []))
        elif mine := by_key.pop(span.key, []):
            plan.fit(span, mine)
        elif _was_promised(span, by_key[PROVISIONAL]):
            plan.offer(span, by_key.pop(PROVISIONAL))  # sold as the catalogue is now, and with it what came since
        else:
            plan.sell(span)
    plan.withdraw(by_key.pop(PROVISIONAL, []))
    return plan.write()


def _was_promised(span: Span, provisional: list[Grant]) -> bool:
    return span.change is None and bool(provisional) and all(g.tier == span.tier.code for g in provisional)


class _Changes:
    """What is to be written, gathered so that it costs few queries."""

    def __init__(self, membership: Membership) -> None:
        self.membership = membership
        self.kept: list[Grant] = []
        self.new: list[Grant] = []
        self.changed: list[Grant] = []
        self.gone: list[Grant] = []
        self._catalogue: defaultdict[int, list[TierPerk]] | None = None

    def sell(self, span: Span) -> None:
        for perk, settings in self._sold_now(span.tier):
            self.new.append(new(self.membership, span, perk, settings))

    def fit(self, span: Span, grants: Iterable[Grant]) -> None:
        """The grants are the span's own: same settings, its window."""
        for grant in grants:
            self._let(grant, term=span.term, change=span.change, starts_at=span.starts_at, ends_at=span.ends_at)

    def offer(self, span: Span, grants: Iterable[Grant]) -> None:
        """Provisional grants follow the catalogue up to the moment in which their span is bought."""
        held = {g.perk_id: g for g in grants}
        for perk, settings in self._sold_now(span.tier):
            grant = held.pop(perk.pk, None)
            if grant is None:
                self.new.append(new(self.membership, span, perk, settings))
            else:
                sold = {"settings": settings, "tier": span.tier.code, "term": span.term, "change": span.change}
                self._let(grant, **sold, starts_at=span.starts_at, ends_at=span.ends_at)
        self.withdraw(held.values())

    def withdraw(self, grants: Iterable[Grant]) -> None:
        """The renewal these waited for will not come, or buys something else."""
        self.gone += grants

    def write(self) -> list[Grant]:
        if self.gone:
            gone = Grant.objects.filter(pk__in=[g.pk for g in self.gone])
            used = set(gone.filter(redemptions__isnull=False).values_list("pk", flat=True))
            gone.exclude(pk__in=used).delete()
            for grant in self.gone:
                if grant.pk in used:
                    self._let(grant, ends_at=grant.starts_at)
        if self.changed:
            fields = ["term", "change", "tier", "settings", "starts_at", "ends_at"]
            Grant.objects.bulk_update(self.changed, fields)
        return [*self.kept, *self.changed, *Grant.objects.bulk_create(self.new)]

    def _let(self, grant: Grant, **fields: Any) -> None:
        differs = [name for name, value in fields.items() if getattr(grant, name) != value]
        for name in differs:
            setattr(grant, name, fields[name])
        (self.changed if differs else self.kept).append(grant)

    def _sold_now(self, tier: Tier) -> list[tuple[Perk, dict[str, Any]]]:
        if self._catalogue is None:
            self._catalogue = defaultdict(list)
            for offered in TierPerk.objects.filter(perk__published=True).select_related("perk"):
                self._catalogue[offered.tier_id].append(offered)
        return [(t.perk, _checked(t)) for t in self._catalogue[tier.pk]]


def new(membership: Membership, span: Span, perk: Perk, settings: dict[str, Any]) -> Grant:
    """What `span` is sold, not yet written."""
    return Grant(
        membership=membership,
        perk=perk,
        term=span.term,
        change=span.change,
        tier=span.tier.code,
        settings=settings,
        starts_at=span.starts_at,
        ends_at=span.ends_at,
    )


def _checked(offered: TierPerk) -> dict[str, Any]:
    """The settings with every default written out, so that a later default never changes what was sold."""
    return kinds.check(offered.perk.kind, offered.sold_settings()).model_dump(mode="json")
