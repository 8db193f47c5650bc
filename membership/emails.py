"""The ground floor's mails, one function a message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from membership import calendar, messages, standing

if TYPE_CHECKING:
    from datetime import datetime

    from membership.models import Card, Membership, Message


def welcome(*, membership: Membership, card: Card, at: datetime, more: dict[str, Any] | None = None) -> Message:
    """Once a membership becomes active: what it is, until when, and the card as a PDF.

    `more` is what the apps above add: perks (their words), renews_at, price, told_before.
    """
    assert membership.entitled_until is not None
    return messages.write(
        key=f"welcome:{membership.pk}",
        kind="welcome",
        member=membership.member,
        at=at,
        attached_card=card,
        context={
            **(more or {}),
            "tier": membership.plan.tier,
            "membership": membership,
            "comes_back": standing.comes_back(membership),
            "last_day": calendar.last_day(membership.entitled_until, membership.time_zone),
        },
    )
