"""The console's left bar, every queue with its count; a report's cells."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import template
from django.urls import reverse
from django.utils.html import format_html

from membership import clock
from membership.console import queues
from membership.console.reports import Whose
from membership.templatetags.vip import day

register = template.Library()


@register.simple_tag(takes_context=True)
def counted_queues(context: dict[str, Any]) -> list[queues.Counted]:
    """Each queue that they may see, with how many wait in it now. Today's page has counted already (`today`)."""
    staff, counted = context.get("staff"), context.get("today")
    if staff is None or counted:
        return counted or []
    return queues.counted(staff, clock.now())


@register.simple_tag
def cell(value: object) -> str:
    """One figure of a report, as a reader reads it: a member is a link to their page."""
    if isinstance(value, Whose):
        address = reverse("console-member", args=[int(value.number)])
        return format_html('<a href="{}">{}</a>', address, value.name)
    return day(value) if isinstance(value, date) else str(value)
