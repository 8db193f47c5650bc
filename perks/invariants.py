"""What is always true of perks; manage.py check_invariants asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Count, F, Q

from membership import clock, standing
from membership.invariants import invariant
from perks import entitlements, facts
from perks.models import LIVE, Entitlement, Redemption

if TYPE_CHECKING:
    from collections.abc import Iterable


@invariant("I4", "each entitlement row equals its recomputation, and says now what the memberships say")
def entitlements_equal_their_recomputation() -> Iterable[str]:
    for row in Entitlement.objects.select_related("member").order_by("pk").iterator(chunk_size=500):
        told = entitlements.recompute(row.member, as_of=row.computed_at)
        if told is None:
            yield f"entitlement of member {row.pk} has no membership behind it"
            continue
        payer, expected = told
        if (row.number, row.payer_id) != (row.member.number, payer):
            yield f"entitlement of member {row.pk} names another number or payer than the facts"
        if row.facts != expected:
            yield f"entitlement of member {row.pk} differs from its recomputation"
        else:
            yield from _says_what_the_memberships_say(row)
        card = row.member.cards.filter(revoked_at=None).values_list("pk", flat=True).first()
        if row.card_id != card:
            yield f"entitlement of member {row.pk} names card {row.card_id}, not {card}"


def _says_what_the_memberships_say(row: Entitlement) -> Iterable[str]:
    """The API and the portal ask in two ways, and must hear the same: at any moment, not only at that of the row."""
    now = clock.now()
    membership = standing.current_membership(row.member, now)
    portal = standing.at(membership, now) if membership else None
    api = facts.load(row.facts).speaking(now).standing(now)
    if api != portal:
        yield f"member {row.pk} is {api} by the entitlement row and {portal} by the memberships"


@invariant("I6", "redemptions held or committed stay within their allowance, slots distinct")
def live_redemptions_have_a_slot_each() -> Iterable[str]:
    live = Redemption.objects.filter(status__in=LIVE, slot__isnull=False)
    doubled = live.values("grant", "period", "slot").annotate(n=Count("pk")).filter(n__gt=1)
    for row in doubled:
        yield f"grant {row['grant']}: slot {row['slot']} of {row['period']} was given out {row['n']} times"
    for redemption in live.filter(Q(slot__gt=F("allowance")) | Q(slot__lt=1)):
        yield f"redemption {redemption.pk} takes slot {redemption.slot} of an allowance of {redemption.allowance}"
