"""For everyone, now: a change of the catalogue reaches what members bought already, if it takes nothing from anybody.

Without this a member's perks stay as they were sold until their term is renewed (perks.grants). What is better is
said beside each setting, in its kind's file (perks.shown.Better).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import batched
from typing import TYPE_CHECKING

from django.db import transaction

from membership import audit, timeline
from membership.errors import DomainError
from membership.models import Membership, Tier
from perks import entitlements, grants, improvement, kinds, slots
from perks.models import Grant, Perk, TierPerk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from django.db.models import QuerySet

    from perks.kinds import KindSettings

AT_ONCE = 500


class NotOffered(DomainError):
    code = "not_offered"
    message = "This tier does not carry the perk, or it is not published."


class TakesAway(DomainError):
    """`settings`: the labels of those in which somebody would get less."""

    code = "takes_away"

    def __init__(self, settings: list[str], memberships: int) -> None:
        what = ", ".join(f"“{label}”" for label in settings)
        super().__init__(
            f"This takes something from {memberships} memberships: {what}. They keep what they bought until renewal."
        )
        self.settings = settings


@dataclass
class Plan:
    """What publishing would do: memberships whose grants change, and those that get the perk who had none."""

    better: list[int] = field(default_factory=list)
    new: list[int] = field(default_factory=list)
    unchanged: int = 0


def rehearse(*, perk: Perk, tier: Tier, at: datetime) -> Plan:
    """What would change, by membership. Raises NotOffered, TakesAway."""
    now = _offered(perk, tier)
    plan, worse, losers = Plan(), set(), 0
    for membership, held in _with_what_they_hold(perk, tier, at):
        spans = _spans(membership, tier, at)
        if losing := {label for grant in held for label in improvement.worse(slots.settings_of(grant), now)}:
            worse |= losing
            losers += 1
        elif len(held) < len(spans):
            plan.new.append(membership.pk)
        elif any(slots.settings_of(grant) != now for grant in held):
            plan.better.append(membership.pk)
        else:
            plan.unchanged += len(held) > 0
    if worse:
        raise TakesAway(sorted(worse), losers)
    return plan


def for_everyone(*, perk: Perk, tier: Tier, at: datetime, actor: str) -> Plan:
    """Give every membership in `tier` the perk as it is offered now. Refusals do nothing: NotOffered, TakesAway.

    One membership after the other, each under its lock; run again, it goes on where it was interrupted. Uses are
    counted on: the same grant has new settings.
    """
    plan = rehearse(perk=perk, tier=tier, at=at)
    for pk in (*plan.better, *plan.new):
        _improve(pk, perk, tier, at=at, actor=actor)
    counts = {"tier": tier.code, "better": len(plan.better), "new": len(plan.new)}
    audit.write(actor=actor, verb="publish_perk", subject=f"perk:{perk.code}", at=at, data=counts)
    return plan


@transaction.atomic
def _improve(pk: int, perk: Perk, tier: Tier, *, at: datetime, actor: str) -> None:
    now = _offered(perk, tier)
    membership = Membership.objects.lock(pk)
    held = _held(membership, perk, tier, at)
    for grant in held:
        if not improvement.worse(slots.settings_of(grant), now):  # sold anew since the rehearsal: as it is offered
            grant.settings = now.model_dump(mode="json")
    Grant.objects.bulk_update(held, ["settings"])
    keys = {(grant.term_id, grant.change_id) for grant in held}
    Grant.objects.bulk_create(
        Grant(
            membership=membership,
            perk=perk,
            term=span.term,
            change=span.change,
            tier=tier.code,
            settings=now.model_dump(mode="json"),
            starts_at=span.starts_at,
            ends_at=span.ends_at,
        )
        for span in _spans(membership, tier, at)
        if span.key not in keys
    )
    timeline.write(member=membership.member, kind="perk_improved", at=at, actor=actor, data={"perk": perk.code})
    entitlements.rebuild_all(membership=membership, at=at)


def _offered(perk: Perk, tier: Tier) -> KindSettings:
    offered = TierPerk.objects.filter(perk=perk, tier=tier, perk__published=True).select_related("perk").first()
    if offered is None:
        raise NotOffered
    return kinds.check(perk.kind, offered.sold_settings())


def _spans(membership: Membership, tier: Tier, at: datetime) -> list[grants.Span]:
    return [span for span in grants.spans(membership) if span.tier == tier and span.ends_at > max(at, span.starts_at)]


def _with_what_they_hold(perk: Perk, tier: Tier, at: datetime) -> Iterator[tuple[Membership, list[Grant]]]:
    """Every open membership with its grants of the perk, read by the batch: however many members there are."""
    every = Membership.objects.open().with_facts().order_by("pk").iterator(chunk_size=AT_ONCE)
    for batch in batched(every, AT_ONCE, strict=False):
        held: defaultdict[int, list[Grant]] = defaultdict(list)
        for grant in _live(perk, tier, at).filter(membership__in=batch):
            held[grant.membership_id].append(grant)
        yield from ((membership, held[membership.pk]) for membership in batch)


def _held(membership: Membership, perk: Perk, tier: Tier, at: datetime) -> list[Grant]:
    return list(_live(perk, tier, at).filter(membership=membership))


def _live(perk: Perk, tier: Tier, at: datetime) -> QuerySet[Grant]:
    live = Grant.objects.filter(perk=perk, tier=tier.code, ends_at__gt=at, source=Grant.Source.TERM)
    return live.select_related("perk").order_by("pk")
