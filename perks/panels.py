"""Perks on pages of the ground floor: in a tier's column on the plans page, and in the member's portal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.template.loader import render_to_string

from membership import calendar, panels
from membership.standing import Standing
from perks import house_uses, lookup, members, savings
from perks.concierge import asking, pages
from perks.models import ConciergeRequest, TierPerk

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest

    from membership.models import Member, Plan
    from perks.kinds import Listed


@panels.register("plan-card", order=10)
def plan_card(request: HttpRequest, *, plan: Plan, **context: Any) -> str:
    """What the tier gets, a line a perk; only perks that a grant would back."""
    offered = TierPerk.objects.filter(tier=plan.tier_id, perk__published=True).select_related("perk")
    sold = [(one.perk.kind, one.sold_settings()) for one in offered]
    lines = [{"words": members.words(*one), "listed": members.listed(*one)} for one in sold]
    return render_to_string("perks/plan_card.html", {"lines": lines}, request)


@dataclass(frozen=True)
class HeldLine:
    """A perk of the member, in words; `uses_left` None: as often as they like. `resets_at` None: with the next term.
    `usable_from`: it may not be used before, as a birthday's gift."""

    words: str
    uses_left: int | None
    resets_at: datetime | None
    usable_from: datetime | None
    listed: Listed | None


@panels.register("portal", order=10)
def portal(request: HttpRequest, *, member: Member, at: datetime, **_: Any) -> str:
    """The member's perks, as the checkout sees them this moment; nothing while the membership does not count."""
    found = lookup.by_member(member.pk, at=at)
    if found is None or found.facts is None:
        return ""
    told = members.detail(found, at=at)
    if not told["perks"]:
        return ""
    lines = [
        HeldLine(
            perk["words"],
            perk["uses_left"],
            perk["resets_at"],
            members.usable_from(found.facts, perk["perk"], at),
            members.listed_in(found.facts, perk["perk"], at),
        )
        for perk in told["perks"]
    ]
    in_grace = told["standing"] == Standing.GRACE
    runs_until = calendar.last_day(found.facts.entitled_until, found.facts.zone) if found.facts.entitled_until else None
    context = {"lines": lines, "in_grace": in_grace, "runs_until": None if in_grace else runs_until}
    context["can_book"] = any(perk["kind"] in ("service", "event_seat") for perk in told["perks"])
    return render_to_string("perks/portal.html", {**context, "saved": savings.this_period(member, at=at)}, request)


@panels.register("portal", order=15)
def concierge(request: HttpRequest, *, member: Member, at: datetime, **_: Any) -> str:
    """Where to ask, what is left, and what is open; nothing for who has no concierge and asked nothing."""
    open_ones = ConciergeRequest.objects.filter(member=member, closed_at=None).order_by("-opened_at", "-pk")
    decision = house_uses.decide(member=member, wanted=asking.WANTED, at=at)
    held = decision is not None and (decision.allowed or decision.reason == "used_up")
    if not held and not open_ones:
        return ""
    context = {"open": open_ones, "allowance": pages.allowance(member, at)}
    return render_to_string("perks/concierge_panel.html", context, request)
