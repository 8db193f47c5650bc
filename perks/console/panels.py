"""What perks shows on a member's page in the console: what they hold this moment, and what is left of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.template.loader import render_to_string

from membership import panels
from perks import lookup, members
from perks.models import ConciergeRequest

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest

    from membership.models import Member


@panels.register("console-member", order=20)
def held(request: HttpRequest, *, member: Member, at: datetime, **_: Any) -> str:
    """As the checkout sees them: from the same row that answers a perk check."""
    found = lookup.by_member(member.pk, at=at)
    told = members.detail(found, at=at)["perks"] if found is not None else []
    return render_to_string("console/perks_facts.html", {"perks": told, "member": member}, request)


@panels.register("console-member", order=25)
def requests(request: HttpRequest, *, member: Member, **_: Any) -> str:
    """What they asked the concierge lately; nothing where they never did."""
    found = ConciergeRequest.objects.filter(member=member).order_by("-opened_at", "-pk")[:10]
    return render_to_string("console/concierge_facts.html", {"requests": found}, request) if found else ""
