"""What perks shows on a member's page in the console: what they hold this moment, and what is left of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.template.loader import render_to_string

from membership import panels
from perks import lookup, members

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest

    from membership.models import Member


@panels.register("console-member", order=20)
def held(request: HttpRequest, *, member: Member, at: datetime, **_: Any) -> str:
    """As the checkout sees them: from the same row that answers a perk check."""
    found = lookup.by_member(member.pk, at=at)
    told = members.detail(found, at=at)["perks"] if found is not None else []
    return render_to_string("console/perks_facts.html", {"perks": told}, request)
