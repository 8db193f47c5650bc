"""When something happens by itself in billing: for membership.time_travel, which stops there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing.models import CheckoutSession

if TYPE_CHECKING:
    from datetime import datetime

# They look for what was lost on the way, which a mover of time does not lose.
ON_ARRIVAL = frozenset({"reconcile with Stripe", "read overdue ones again", "try parked events again"})


def next_due(after: datetime) -> datetime | None:
    """Payment pages that are looked after or run out. What waits in the inbox is work, and known below."""
    found = [_first_after("look_at", after), _first_after("expires_at", after)]
    return min((at for at in found if at is not None), default=None)


def waiting() -> str:
    return ""


def _first_after(field: str, after: datetime) -> datetime | None:
    rows = CheckoutSession.objects.filter(state=CheckoutSession.State.OPEN, **{f"{field}__gt": after})
    return rows.order_by(field).values_list(field, flat=True).first()
