"""When something happens by itself in the perks: for membership.time_travel, which stops there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from membership import work
from perks import first_access
from perks.models import EmailConfirmation, WaitingPlace

if TYPE_CHECKING:
    from datetime import datetime

# They forget what is old, and tidy what stopped counting by itself: nobody waits for that.
ON_ARRIVAL = frozenset({"forget old decisions", "forget old answers", "expire holds"})
NEEDED = {
    "mail shops' codes": lambda at: work.due(EmailConfirmation.objects.all(), at=at).exists(),
    "invite to sales": lambda at: first_access.near(at).filter(invited_at=None).exists(),
    "seat who waits": lambda at: WaitingPlace.objects.filter(
        status="waiting", event__booking_closes_at__gt=at
    ).exists(),
    "write first-access letters": lambda at: work.due(first_access.rows(), at=at).exists(),
}


def next_due(after: datetime) -> datetime | None:
    """When the next sale comes near. Letters about it are work, which the ground floor asks of; whether a perk is open
    is asked, never done."""
    return first_access.next_due(after)


def waiting() -> str:
    return ""
