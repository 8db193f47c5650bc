"""For whoever moves the world's clock: when something is due here next, and the doing of what is due.

Reached by this module's name only, as the in-process client is.
"""

from __future__ import annotations

from datetime import UTC, datetime

from billing.emulator import api, delivery, timeline
from billing.emulator.models import Record


def next_due(after: datetime) -> datetime | None:
    """The first moment after `after` at which time does something to an object by itself."""
    due = Record.objects.filter(test_clock="", due_at__gt=int(after.timestamp())).order_by("due_at")
    seconds = due.values_list("due_at", flat=True).first()
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def settle() -> int:
    """What time does by now, and each event that waits told at once, also one that was refused before: whoever moves
    the clock does not wait for a retry. Returns how much there was."""
    assert api.MODULES  # imported, so that each has said what happens when its objects are due
    happened = timeline.catch_up()
    return happened + sum(delivery.deliver(row) for row in delivery.waiting())


def waiting() -> str:
    """The first event that was not taken in yet, if there is one."""
    row = delivery.waiting().first()
    return "" if row is None else f"{row.event.key} for {row.endpoint.data['url']}"
