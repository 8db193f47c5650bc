"""The mails of a declaration: the receipt to whom the form named, and what the account itself must hear.

Strangers choose where a receipt goes, so they are counted by address; what an account hears is counted by account.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.core import signing
from django.urls import reverse

from billing.models import Declaration
from membership import calendar, clock, limits, messages
from membership.models import Membership, Message

if TYPE_CHECKING:
    from datetime import datetime

    from membership.models import Member

SALT = "billing.declarations"
RECEIPTS_PER_DAY = 10  # to one address
QUESTIONS_PER_DAY = 5  # to one account
DAY = timedelta(days=1)
Outcome = Declaration.Outcome
HAS_ITS_OWN = frozenset({Outcome.CANCELED, Outcome.WITHDRAWN})  # the letter of the act itself says it


def receipt(row: Declaration, *, at: datetime) -> None:
    """What was declared, word for word, and when it arrived. It says nothing of any account."""
    key = f"declaration:{row.pk}"
    if Message.objects.filter(key=key).exists() or _spent(f"receipt:{row.contact.lower()}", RECEIPTS_PER_DAY):
        return
    messages.write(
        key=key, kind="declaration_receipt", at=at, to=row.contact, language=row.language, context={"declared": row}
    )


def was_it_you(row: Declaration, member: Member, *, at: datetime) -> None:
    """Asked at the account's own address, which nobody else reads: one press, and it is carried out."""
    key = f"declaration_question:{row.pk}"
    if Message.objects.filter(key=key).exists() or _spent(f"question:{member.pk}", QUESTIONS_PER_DAY):
        return
    context = {"declared": row, "proof_url": proof_url(row)}
    messages.write(key=key, kind="declaration_question", member=member, at=at, context=context)


def proof_url(row: Declaration) -> str:
    """Where the holder of the account says that it was them."""
    token = signing.Signer(salt=SALT).sign_object(row.pk)
    return f"{settings.BASE_URL}{reverse('declaration-proof', args=[token])}"


def settled(row: Declaration, *, at: datetime) -> None:
    """What came of it, to the account, where no other letter says it or the receipt went somewhere else."""
    assert row.member is not None  # it was tied
    membership = Membership.objects.with_facts().get(pk=row.membership_id) if row.membership_id else None
    until = membership.entitled_until if membership else None
    if row.outcome in HAS_ITS_OWN and until is not None and row.contact.lower() == row.member.user.email:
        return
    context = {
        "declared": row,
        "over": membership is None or membership.ended_at is not None,
        "last_day": calendar.last_day(until, membership.time_zone) if membership and until else None,
    }
    messages.write(
        key=f"declaration_settled:{row.pk}", kind="declaration_settled", member=row.member, at=at, context=context
    )


def _spent(what: str, limit: int) -> bool:
    try:
        limits.hit(f"declaration-{what}", limit=limit, per=DAY, at=clock.wall())
    except limits.TooMany:
        return True
    return False
