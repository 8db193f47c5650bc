"""Published: what is on sale becomes what was drafted, and reaches members who bought already at their renewal, or now
if it takes nothing from anybody.

Without the latter a member's perks stay as they were sold until their term is renewed (perks.grants). What is better is
said beside each setting, in its kind's file (perks.shown.Better).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import batched
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext_noop

from membership import audit, doorbell
from membership.errors import DomainError
from membership.models import Membership, Tier
from perks import drafts, fresh, grants, improvement, kinds, reach, slots, spreading
from perks.models import Grant, Perk, PerkDraft, Publication, TierPerk

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from django.db.models import QuerySet

    from perks.kinds import KindSettings

AT_ONCE = 500  # read together


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


class NowhereOnSale(DomainError):
    code = "nowhere_on_sale"
    status = 422
    message = gettext_noop("No tier carries it yet: choose one, and say what its members get.")


@transaction.atomic
def publish(*, perk: Perk, number: int, now_for: Collection[str] = (), at: datetime, actor: str) -> Publication:
    """Put draft `number` on sale: who joins or renews from now on gets it so. Those in the tiers `now_for` (codes) get
    it without waiting for their renewal, carried to them by the worker (perks.spreading).

    Raises drafts.NoDraft, drafts.Overtaken where something else is on sale by now than when the draft was saved,
    NowhereOnSale, TakesAway.
    """
    perk = Perk.objects.select_for_update().get(pk=perk.pk)
    draft = drafts.current(perk)
    if draft is None or draft.number != number:
        raise drafts.NoDraft
    if draft.base != drafts.on_sale(perk):
        raise drafts.Overtaken
    wanted = draft.content
    if wanted["published"] and not wanted["tiers"]:
        raise NowhereOnSale
    _refuse_losses(perk, wanted, now_for, at)
    _put_on_sale(perk, wanted)
    drafts.close(perk=perk, number=number, outcome=PerkDraft.Outcome.PUBLISHED, at=at)
    going = Publication.objects.create(draft=draft, now_for=sorted(now_for), actor=actor, published_at=at)
    facts = {"draft": number, "now_for": going.now_for}
    audit.write(actor=actor, verb="publish_perk", subject=f"perk:{perk.code}", at=at, data=facts)
    transaction.on_commit(fresh.forget_all)
    doorbell.ring("perks.carry_publications", going.pk)
    return going


def _refuse_losses(perk: Perk, wanted: drafts.Content, now_for: Collection[str], at: datetime) -> None:
    for tier in Tier.objects.filter(code__in=now_for):
        if tier.code not in wanted["tiers"] or not wanted["published"]:
            raise NotOffered
        told = reach.of(perk=perk, tier=tier, settings=wanted["tiers"][tier.code], at=at)
        if told.worse:
            raise TakesAway(told.loses, told.worse)


def _put_on_sale(perk: Perk, wanted: drafts.Content) -> None:
    """The lowest tier's settings are the perk's own; the others keep what differs in them."""
    tiers = list(Tier.objects.filter(code__in=wanted["tiers"]).order_by("rank"))
    own = wanted["tiers"][tiers[0].code] if tiers else perk.settings
    facts = {"names": wanted["names"], "published": wanted["published"], "settings": own}
    Perk.objects.filter(pk=perk.pk).update(**facts)
    TierPerk.objects.filter(perk=perk).exclude(tier__in=tiers).delete()
    for tier in tiers:
        settings = wanted["tiers"][tier.code]
        differs = {name: value for name, value in settings.items() if name not in own or own[name] != value}
        TierPerk.objects.update_or_create(tier=tier, perk=perk, defaults={"settings": differs})


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

    Some memberships after the other, each under its lock; run again, it goes on where it was interrupted.
    """
    plan = rehearse(perk=perk, tier=tier, at=at)
    for pks in batched(sorted((*plan.better, *plan.new)), spreading.AT_ONCE, strict=False):
        spreading.give(perk=perk, now_for=[tier.code], pks=pks, at=at, actor=actor)
    counts = {"tier": tier.code, "better": len(plan.better), "new": len(plan.new)}
    audit.write(actor=actor, verb="publish_perk", subject=f"perk:{perk.code}", at=at, data=counts)
    return plan


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


def _live(perk: Perk, tier: Tier, at: datetime) -> QuerySet[Grant]:
    live = Grant.objects.filter(perk=perk, tier=tier.code, ends_at__gt=at, source=Grant.Source.TERM)
    return live.select_related("perk").order_by("pk")
