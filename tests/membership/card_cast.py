"""A gold member with a card, for the tests of cards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from membership import cards, lifecycle
from tests import factories

if TYPE_CHECKING:
    from membership.models import Card, Membership

JOINED = factories.moment("2026-03-10T09:00")
SUMMER = factories.moment("2026-06-01T12:00")  # current
IN_GRACE = factories.moment("2027-03-12T12:00")
LAPSED = factories.moment("2027-04-12T12:00")


def gold_membership(name: str = "Ada Lovelace", **user: Any) -> Membership:
    """Paid on 10 March 2026 for a year, so entitled until 11 March 2027 in Amsterdam; a renewal is awaited."""
    member, plan = factories.member(name, **user), factories.plan("gold-year")
    membership = lifecycle.reserve(member=member, plan=plan, currency="EUR", at=JOINED, actor="system")
    lifecycle.add_term(
        membership=membership, source="paid", source_ref=f"in_{member.pk}", plan=plan, at=JOINED, actor="stripe"
    )
    return membership


def gold_card(name: str = "Ada Lovelace", **user: Any) -> Card:
    member = gold_membership(name, **user).member
    return cards.issue(member=member, at=JOINED, actor="system")
