"""Announcing: work off the notices that are due, of every kind. Called by the beat; safe at any time and twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing import notices
from billing.models import Notice
from membership import work

if TYPE_CHECKING:
    from datetime import datetime


def sweep(*, at: datetime) -> int:
    """Send every notice that is due and unsent, oldest first. -> how many were seen to."""
    return work.drain(Notice.objects.all(), notices.handle, at=at)
