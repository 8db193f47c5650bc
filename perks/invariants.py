"""What is always true of perks; manage.py check_invariants asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Count, F, Q

from membership import standing
from membership.invariants import invariant
from perks import entitlements
from perks.models import LIVE, Entitlement, Redemption

if TYPE_CHECKING:
    from collections.abc import Iterable


@invariant("I4", "each entitlement row equals its recomputation from the facts")
def entitlements_equal_their_recomputation() -> Iterable[str]:
    for row in Entitlement.objects.select_related("member").order_by("pk").iterator(chunk_size=500):
        membership = standing.current_membership(row.member, row.computed_at)
        if membership is None:
            yield f"entitlement of member {row.pk} has no membership behind it"
            continue
        payer = None if membership.member_id == row.pk else membership.member_id
        if (row.number, row.payer_id) != (row.member.number, payer):
            yield f"entitlement of member {row.pk} names another number or payer than the facts"
        if row.facts != entitlements.recompute(membership, as_of=row.computed_at):
            yield f"entitlement of member {row.pk} differs from its recomputation"
        card = row.member.cards.filter(revoked_at=None).values_list("pk", flat=True).first()
        if row.card_id != card:
            yield f"entitlement of member {row.pk} names card {row.card_id}, not {card}"


@invariant("I6", "redemptions held or committed stay within their allowance, slots distinct")
def live_redemptions_have_a_slot_each() -> Iterable[str]:
    live = Redemption.objects.filter(status__in=LIVE, slot__isnull=False)
    doubled = live.values("grant", "period", "slot").annotate(n=Count("pk")).filter(n__gt=1)
    for row in doubled:
        yield f"grant {row['grant']}: slot {row['slot']} of {row['period']} was given out {row['n']} times"
    for redemption in live.filter(Q(slot__gt=F("allowance")) | Q(slot__lt=1)):
        yield f"redemption {redemption.pk} takes slot {redemption.slot} of an allowance of {redemption.allowance}"
