"""The ground floor's mails, one function a message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from membership import calendar, messages, standing

if TYPE_CHECKING:
    from datetime import datetime

    from membership.models import Card, Membership, Message


def welcome(*, membership: Membership, card: Card, at: datetime) -> Message:
    """Once a membership becomes active: what it is, until when, and the card as a PDF."""
    assert membership.entitled_until is not None
    return messages.write(
        key=f"welcome:{membership.pk}",
        kind="welcome",
        member=membership.member,
        at=at,
        attached_card=card,
        context={
            "tier": membership.plan.tier,
            "membership": membership,
            "comes_back": standing.comes_back(membership),
            "last_day": calendar.last_day(membership.entitled_until, membership.time_zone),
        },
    )
