"""The console's left bar, every queue with its count; a standing in words; a report's cells."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from membership import clock
from membership.console import queues
from membership.console.reports import Whose
from membership.standing import Standing
from membership.templatetags.vip import day

register = template.Library()

STANDINGS = {
    "none": _("no membership"),
    Standing.PENDING: _("not paid yet"),
    Standing.CURRENT: _("current"),
    Standing.GRACE: _("in grace"),
    Standing.LAPSED: _("lapsed"),
    Standing.PAUSED: _("paused"),
    Standing.SUSPENDED: _("on hold"),
    Standing.ENDED: _("ended"),
}


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


@register.simple_tag(name="standing")
def told_standing(now: str) -> str:
    """Where a membership stands, in words and color; "none" of who has none, or nobody was."""
    return format_html('<span class="standing {}">{}</span>', now, STANDINGS.get(now, STANDINGS["none"]))
