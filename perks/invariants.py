"""What is always true of perks; manage.py check_invariants asks."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import orjson
from django.db.models import F, Q

from membership import clock, standing
from membership.invariants import invariant
from membership.models import Card, Membership
from perks import entitlements, grants
from perks import redemption_invariants as redemption_invariants  # registers its own
from perks.models import LIVE, Decision, Entitlement, Grant, Redemption

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from membership.models import Member


@invariant("I4", "each entitlement row equals its recomputation, and says now what the memberships say")
def entitlements_equal_their_recomputation() -> Iterable[str]:
    for row in Entitlement.objects.select_related("member").order_by("pk").iterator(chunk_size=500):
        told = entitlements.recompute(row.member, as_of=row.computed_at)
        if told is None:
            yield f"entitlement of member {row.pk} has no membership behind it"
            continue
        if (row.number, row.payer_id) != (row.member.number, told.payer):
            yield f"entitlement of member {row.pk} names another number or payer than the facts"
        if row.facts != told.text:
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
    api = entitlements.read(row.facts).speaking(now).standing(now)
    if api != portal:
        yield f"member {row.pk} is {api} by the entitlement row and {portal} by the memberships"


PROMPT = timedelta(seconds=5)  # so long may a till still honor what was just refunded, disputed, stopped or ended
LOOKED_BACK = timedelta(days=1)


@invariant("I5", "nothing is granted past entitled_until + grace, nor more than 5 s after a refund, dispute or stop")
def nothing_is_granted_beyond_the_membership() -> Iterable[str]:
    yield from _grants_that_outlast_their_span()
    live = Redemption.objects.filter(status__in=LIVE).select_related("grant")
    for redemption in live.filter(held_at__gte=clock.now() - LOOKED_BACK).order_by("pk").iterator(chunk_size=500):
        if not _was_honored(redemption.grant.membership_id, redemption.held_at):
            yield f"redemption {redemption.pk} was granted to membership {redemption.grant.membership_id} in vain"
        elif _was_held_with_a_blocked_card(redemption):
            yield f"redemption {redemption.pk} was held with a card that had been blocked"
    yield from _answers_given_after_a_stop()


def _was_held_with_a_blocked_card(redemption: Redemption) -> bool:
    """A member has one card at a time, so one revoked between the check and the hold is the one that was shown."""
    asked = Decision.objects.filter(pk=redemption.decision_ref).first()
    if asked is None or not (orjson.loads(asked.question).get("member") or {}).get("card"):
        return False
    since, known = asked.decided_at, redemption.held_at - PROMPT
    return Card.objects.filter(member=redemption.member_id, revoked_at__gt=since, revoked_at__lt=known).exists()


def _grants_that_outlast_their_span() -> Iterable[str]:
    granted = Membership.objects.with_facts().filter(grants__source=Grant.Source.TERM).distinct().order_by("pk")
    for membership in granted.iterator(chunk_size=500):
        until = max((span.ends_at for span in grants.spans(membership)), default=None)
        own = Grant.objects.filter(membership=membership, source=Grant.Source.TERM, ends_at__gt=F("starts_at"))
        for grant in own if until is None else own.filter(ends_at__gt=until):
            yield f"grant {grant.pk} lasts longer than membership {membership.pk}"


def _answers_given_after_a_stop() -> Iterable[str]:
    """Checks answered lately about members whose membership was stopped or cut lately."""
    since = clock.now() - LOOKED_BACK
    stopped = Q(stops__opened_at__gte=since) | Q(cut_at__gte=since)
    members = Membership.objects.filter(stopped).values_list("member_id", flat=True).distinct()
    asked = Decision.objects.filter(member__in=list(members), decided_at__gte=since, as_of=None).order_by("decided_at")
    for decision in asked.select_related("member").iterator(chunk_size=500):
        told = (orjson.loads(decision.answer).get("member") or {}).get("standing")
        if told in standing.HONORED and not _spoken_for(decision.member, decision.decided_at):
            yield f"decision {decision.pk} honored member {decision.member_id}, who was {told} no more"


def _was_honored(membership_pk: int, moment: datetime) -> bool:
    return _could_be_honored(Membership.objects.with_facts().get(pk=membership_pk), moment)


def _spoken_for(member: Member | None, moment: datetime) -> bool:
    """Whether any membership that spoke for the member was honored then: one of theirs, or that of a seat."""
    if member is None:
        return True
    own = Membership.objects.with_facts().filter(member=member)
    speaking = [*own, standing.seat_membership(member, moment)]
    return any(_could_be_honored(membership, moment) for membership in speaking if membership is not None)


def _could_be_honored(membership: Membership, moment: datetime) -> bool:
    """By what was known PROMPT before. A cut and an end that came later are taken back first: an end leaves no trace
    of the grace before it, and one that follows at once upon the beginning leaves no moment to have been honored at.
    """
    known = moment - PROMPT
    if membership.cut_at is not None and membership.cut_at > known:
        membership.cut_at = None
        membership.entitled_until = standing.computed_entitled_until(membership)
    if membership.ended_at is not None and membership.ended_at > known:
        canceled = membership.canceled_at is not None and membership.canceled_at <= known
        membership.ended_at, membership.renewal_expected = None, membership.plan.renews and not canceled
        membership.status = standing.computed_status(membership)
    return any(standing.at(membership, t) in standing.HONORED for t in (moment, known))
