"""What a change of tier means in perks: line by line, as it is held now and as it would be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perks import members
from perks.models import Grant, TierPerk

if TYPE_CHECKING:
    from datetime import datetime

    from membership.models import Membership, Tier


@dataclass(frozen=True)
class Difference:
    """One perk in words; an empty side: it is not held before, or not after."""

    before: str
    after: str


def with_tier(*, membership: Membership, tier: Tier, at: datetime) -> list[Difference]:
    """Every perk that differs between what the membership holds at `at`, as it was sold, and what `tier` sells."""
    held = Grant.objects.filter(membership=membership, starts_at__lte=at, ends_at__gt=at, term__isnull=False)
    before = {g.perk_id: members.words(g.perk.kind, g.settings) for g in held.select_related("perk")}
    offered = TierPerk.objects.filter(tier=tier, perk__published=True).select_related("perk")
    after = {o.perk_id: members.words(o.perk.kind, o.sold_settings()) for o in offered}
    perks = [*after, *(perk for perk in before if perk not in after)]
    told = [Difference(before.get(perk, ""), after.get(perk, "")) for perk in perks]
    return [one for one in told if one.before != one.after]
