"""The console's left bar: every queue with its count."""

from __future__ import annotations

from typing import Any

from django import template

from membership import clock
from membership.console import queues

register = template.Library()


@register.simple_tag(takes_context=True)
def counted_queues(context: dict[str, Any]) -> list[queues.Counted]:
    """Each queue that they may see, with how many wait in it now. Today's page has counted already (`waiting`)."""
    staff, counted = context.get("staff"), context.get("waiting")
    if staff is None or counted:
        return counted or []
    return queues.counted(staff, clock.now())
