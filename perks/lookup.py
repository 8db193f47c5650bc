"""Finding the member a shop means, as of a moment: one indexed read of the entitlement row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import connection, transaction
from django.db.utils import InterfaceError, OperationalError

from membership import card_token, numbers
from membership.models import Member
from perks import confirmations, entitlements, one_row
from perks.models import Ref

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from perks.facts import Facts

_ROW = "SELECT member_id, number, facts FROM perks_entitlement WHERE "
BY_NUMBER = _ROW + "number = %s"
BY_CARD = _ROW + "card_id = %s"
BY_MEMBER = _ROW + "member_id = %s"
BY_EMAIL = (  # of members who allow it: for others the same reads, the same nothing
    _ROW  # noqa: S608
    + "member_id = (SELECT m.id FROM membership_member m JOIN membership_user u ON u.id = m.user_id"
    " WHERE u.email = %s AND m.found_by_email)"
)
BY_REF = _ROW + "member_id = (SELECT member_id FROM perks_ref WHERE shop_id = %s AND customer_ref = %s)"  # noqa: S608


@dataclass(frozen=True, slots=True)
class Found:
    """A member we know, with the facts that count at the moment asked about; None: who has no membership."""

    member: int
    number: str
    facts: Facts | None


def by_number(text: str, *, at: datetime) -> Found | None:
    """By member number, with or without the spaces people type."""
    number = text if numbers.is_valid(text) else numbers.normalize(text)
    if not numbers.is_valid(number):
        return None
    return _row(at, BY_NUMBER, number) or _without_membership(Member.objects.filter(number=number).first())


def by_card(token_or_url: str, *, at: datetime) -> Found | None:
    """By the QR of a card that stands; a forged or revoked one is nobody's."""
    card_id = card_token.read(token_or_url)
    if card_id is None:
        return None
    return _row(at, BY_CARD, _adapted(card_id)) or _without_membership(
        Member.objects.filter(cards=card_id, cards__revoked_at=None).first()
    )


def by_customer_ref(shop: int, customer_ref: str, *, at: datetime) -> Found | None:
    """By the shop's own id, tied to a member before (PUT /members/{number}/refs)."""
    return _row(at, BY_REF, shop, customer_ref) or _without_membership(
        Member.objects.filter(refs__shop=shop, refs__customer_ref=customer_ref).first()
    )


def by_email(shop: int, email: str, confirmation: str | None, *, at: datetime) -> Found | None:
    """By e-mail address, where its owner allows it: always, or by a code they were mailed (perks.confirmations)."""
    if confirmation is not None:
        member = confirmations.member_of(ident=confirmation, shop=shop, email=email)
        return None if member is None else by_member(member, at=at)
    address = confirmations.normalized(email)
    return _row(at, BY_EMAIL, address) or _without_membership(
        Member.objects.filter(user__email=address, found_by_email=True).first()
    )


def by_member(member: int, *, at: datetime) -> Found | None:
    """By our own id, for a replay."""
    return _row(at, BY_MEMBER, member) or _without_membership(Member.objects.filter(pk=member).first())


def as_of(found: Found, moment: datetime) -> Found:
    """The member as of another moment, past or to come, by what is known now. Dozens of queries: not for checkouts.

    The entitlement row will not do: what can no longer matter at the time it was written is left out of it.
    """
    told = entitlements.recompute(Member.objects.get(pk=found.member), as_of=moment)
    facts_then = told.facts.speaking(moment) if told else None
    return Found(found.member, found.number, facts_then)


def tie(*, shop: int, customer_ref: str, number: str) -> bool:
    """Tie the shop's customer id to a member, once or again. False: it belongs to another member already."""
    member = Member.objects.get(number=number)
    with transaction.atomic():
        tied, _ = Ref.objects.get_or_create(shop_id=shop, customer_ref=customer_ref, defaults={"member": member})
    return tied.member_id == member.pk


def _row(at: datetime, sql: str, *params: str | int | UUID) -> Found | None:
    try:
        row = one_row.fetch(sql, params)
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block:
            raise
        connection.close()  # the database was restarted under a kept connection: once more on a new one
        row = one_row.fetch(sql, params)
    return None if row is None else Found(row[0], row[1], entitlements.read(row[2]).speaking(at))


def _adapted(card_id: UUID) -> str | UUID:
    return card_id if connection.features.has_native_uuid_field else card_id.hex


def _without_membership(member: Member | None) -> Found | None:
    return None if member is None else Found(member.pk, member.number, None)
