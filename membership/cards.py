"""Cards: who carries one, and what it is worth at a moment. The only writer of Card.

A member has one unrevoked card at most; the database's constraint decides races. Each change is told to the timeline,
the audit and the search, and announced by `card_changed`, all in its own transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction

from membership import audit, card_token, search, standing, timeline
from membership.models import Card, SearchKey
from membership.signals import card_changed
from membership.standing import Standing

if TYPE_CHECKING:
    from datetime import datetime

    from membership.models import Member, Tier


class RevokeReason(StrEnum):
    LOST = "lost"
    STOLEN = "stolen"
    WORN = "worn"
    ABUSED = "abused"


class CheckReason(StrEnum):
    VALID = "valid"
    NOT_VALID = "not_valid"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardCheck:
    """What a card is worth at the moment asked about.

    `card` is None when the token is not one of ours. A revoked card tells nothing of its member's membership: whoever
    holds it may have found it. `entitled_until` is an exclusive end, UTC; in grace it lies in the past, and
    `honored_until` is the end of the grace.
    """

    valid: bool
    reason: CheckReason
    card: Card | None = None
    tier: Tier | None = None
    standing: Standing | None = None
    entitled_until: datetime | None = None
    honored_until: datetime | None = None
    time_zone: str = ""


def issue(*, member: Member, at: datetime, actor: str) -> Card:
    """The member's card, issued now if there is none that stands. Safe to repeat, also at the same time."""
    standing_card = current(member=member)
    if standing_card is not None:
        return standing_card
    try:
        with transaction.atomic():
            return _issue(member, at, actor)
    except IntegrityError:
        return Card.objects.get(member=member, revoked_at=None)


def reissue(*, member: Member, reason: RevokeReason, at: datetime, actor: str) -> Card:
    """A new card in place of the last, which is revoked in the same transaction."""
    with transaction.atomic():
        last = current(member=member)
        if last is not None:
            revoke(card=last, reason=reason, at=at, actor=actor)
        return issue(member=member, at=at, actor=actor)


def revoke(*, card: Card, reason: RevokeReason, at: datetime, actor: str) -> None:
    """End a card for good. A card that is revoked already stays as it is."""
    revoked_at = max(at, card.issued_at)  # a clock set back must not stand in the way of a block
    with transaction.atomic():
        if not Card.objects.filter(pk=card.pk, revoked_at=None).update(revoked_at=revoked_at):
            card.refresh_from_db(fields=["revoked_at"])
            return
        card.revoked_at = revoked_at
        _tell(card, "card_revoked", "revoke_card", at, actor, reason=reason.value)
        card_changed.send(sender=Card, card=card, at=at)


def current(*, member: Member) -> Card | None:
    """The member's card that stands, if there is one."""
    return Card.objects.filter(member=member, revoked_at=None).first()


def first_or_current(*, member: Member, at: datetime, actor: str) -> Card | None:
    """The member's card; the first is issued when it is first asked for. None: theirs was revoked and not replaced."""
    if not member.cards.exists():
        return issue(member=member, at=at, actor=actor)
    return current(member=member)


def check(token: str, *, at: datetime) -> CardCheck:
    """What the card behind a token (or a whole scanned URL) is worth at `at`. Never raises on a stranger's input."""
    card_id = card_token.read(token)
    card = Card.objects.select_related("member").filter(pk=card_id).first() if card_id else None
    if card is None:
        return CardCheck(valid=False, reason=CheckReason.NOT_VALID)
    if card.revoked_at is not None:
        replaced = current(member=card.member) is not None
        return CardCheck(valid=False, reason=CheckReason.REPLACED if replaced else CheckReason.NOT_VALID, card=card)
    return _worth(card, at)


def _worth(card: Card, at: datetime) -> CardCheck:
    membership = standing.current_membership(card.member, at)
    if membership is None:
        return CardCheck(valid=False, reason=CheckReason.NOT_VALID, card=card)
    now = standing.at(membership, at)
    valid = now in standing.HONORED
    return CardCheck(
        valid=valid,
        reason=CheckReason.VALID if valid else CheckReason.NOT_VALID,
        card=card,
        tier=standing.tier_at(membership, at),
        standing=now,
        entitled_until=membership.entitled_until,
        honored_until=standing.grace_until(membership) if now == Standing.GRACE else membership.entitled_until,
        time_zone=membership.time_zone,
    )


def _issue(member: Member, at: datetime, actor: str) -> Card:
    card = Card.objects.create(member=member, issued_at=at)
    search.put(member=member, kind=SearchKey.Kind.CARD, value=str(card.pk))
    _tell(card, "card_issued", "issue_card", at, actor)
    card_changed.send(sender=Card, card=card, at=at)
    return card


def _tell(card: Card, kind: str, verb: str, at: datetime, actor: str, **facts: str) -> None:
    data = {"card": str(card.pk), **facts}
    source_ref = f"card:{card.pk}"
    timeline.write(member=card.member, kind=kind, at=at, actor=actor, data=data, source_ref=source_ref)
    audit.write(actor=actor, verb=verb, subject=f"member:{card.member_id}", at=at, data=data)
