"""What billing does when the ground floor announces a change: inside that change's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.dispatch import receiver

from billing import aligning, notices
from membership.signals import membership_changed

if TYPE_CHECKING:
    from datetime import datetime

    from membership.models import Membership


@receiver(membership_changed, dispatch_uid="billing.membership_changed")
def on_membership_changed(*, membership: Membership, at: datetime, **_: Any) -> None:
    """What Stripe must be told follows the facts, and so does what is owed to be told before the next charge."""
    aligning.plan(membership)
    notices.plan(membership=membership, at=at)
