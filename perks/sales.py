"""Sales: what GET /sales tells of them, to everybody and to a member (perks.openings)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from membership.standing import HONORED
from perks import catalogue, openings
from perks.kinds import early_access
from perks.kinds.base import localized

if TYPE_CHECKING:
    from datetime import datetime

    from perks.kinds.base import SaleDates
    from perks.lookup import Found


def told(found: Found | None, *, at: datetime) -> list[dict[str, Any]]:
    """GET /sales: those that are not over, the first to open first."""
    now = catalogue.current()
    ahead = (sale for sale in now.world.sales.values() if at < sale.closes_at)
    return [_told(sale, found, now, at) for sale in sorted(ahead, key=lambda s: (s.opens_at, s.code))]


def told_of(code: str, found: Found | None, *, at: datetime) -> dict[str, Any] | None:
    """GET /sales/{code}, also of one that is over. None: there is no such sale."""
    now = catalogue.current()
    sale = now.world.sales.get(code)
    return None if sale is None else _told(sale, found, now, at)


def _told(sale: SaleDates, found: Found | None, now: catalogue.Catalogue, at: datetime) -> dict[str, Any]:
    held = {offer.tier: [h for h in offer.held if h.kind == early_access.CODE] for offer in now.offers.values()}
    tiers = {tier: early_access.earliest(sale, perks) for tier, perks in held.items() if perks}
    facts = found.facts if found else None
    tier = facts.tier(at) if facts and facts.standing(at) in HONORED else None
    return {
        "sale": sale.code,
        "name": localized(sale.names),
        "opens_at": sale.opens_at,
        "closes_at": sale.closes_at,
        "tiers": tiers,
        "member_tier": tier,
        "tier_opens_at": tiers.get(tier, sale.opens_at) if tier else None,
        "member_opens_at": openings.opens_at(sale, openings.if_renewed(facts, at) if facts else None, at)
        if found
        else None,
        "open": openings.is_open(sale, facts, at),
    }
