"""What a member is written when staff add a term: that it was given, or the receipt of what they paid offline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing import next_charge
from billing import welcome as first_letter
from membership import calendar, cards, messages
from membership.models import Membership

if TYPE_CHECKING:
    from datetime import datetime

    from billing.given import Placed
    from billing.models import OfflinePayment
    from membership.models import Term


def welcome(term: Term, *, at: datetime, actor: str) -> None:
    """A new stay begins: the card, and the letter that brings it."""
    membership = Membership.objects.with_facts().get(pk=term.membership_id)
    card = cards.issue(member=membership.member, at=at, actor=actor)
    first_letter.send(membership=membership, card=card, lines=(), at=at)


def given(term: Term, placed: Placed, *, at: datetime) -> None:
    membership = term.membership
    messages.write(
        key=term.source_ref,
        kind="term_given",
        member=membership.member,
        at=at,
        context={
            "placed": placed,
            "tier": placed.plan.tier,
            "last_day": calendar.last_day(placed.entitled_until, membership.time_zone),
            "price": next_charge.price(membership) if placed.moves_charge else None,
        },
    )


def receipt(payment: OfflinePayment, placed: Placed, *, at: datetime) -> None:
    membership = payment.term.membership
    messages.write(
        key=f"receipt:{payment.term.source_ref}",
        kind="receipt_offline",
        member=membership.member,
        at=at,
        context={
            "payment": payment,
            "term": payment.term,
            "tier": placed.plan.tier,
            "last_day": calendar.last_day(placed.entitled_until, membership.time_zone),
        },
    )
