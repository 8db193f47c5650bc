"""Sales: when one opens for whom. Pure questions to a member's facts, and what GET /sales tells.

The rule is that of perks.kinds.early_access, asked at every moment at which its answer can change: so what is told here
and what a perk check answers are one, to the second.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from membership.standing import HONORED, Standing
from perks import catalogue, kinds
from perks.facts import Held
from perks.kinds import early_access
from perks.kinds.base import localized

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from perks.facts import Facts
    from perks.kinds.base import SaleDates
    from perks.lookup import Found

NEVER = datetime.max.replace(tzinfo=UTC)


def is_open(sale: SaleDates, facts: Facts | None, at: datetime) -> bool:
    """Whether somebody with these facts may shop the sale at `at`."""
    if at >= sale.closes_at:
        return False
    return at >= sale.opens_at or (facts is not None and _opened_early(sale, facts, at))


def opens_at(sale: SaleDates, facts: Facts | None, at: datetime) -> datetime:
    """When it opens for somebody with these facts, as seen at `at`; when it did, if it has. At the latest when it does
    for the public."""
    if facts is None:
        return sale.opens_at
    since: datetime | None = None
    for moment in sorted({at, *_turns(sale, facts)}):
        if moment >= sale.opens_at:
            break
        if not _opened_early(sale, facts, moment):
            since = None
            continue
        since = since or moment
        if moment >= at:
            break
    return since or sale.opens_at


def if_renewed(facts: Facts, at: datetime) -> Facts:
    """The facts as they will be if the renewal that is expected is paid when it is due.

    As they are, where none is expected, or where it is awaited already at `at`: then nobody knows.
    """
    ahead = facts.windows[-1] if facts.windows else None
    if ahead is None or not ahead.provisional or facts.entitled_until is None or at >= facts.entitled_until:
        return facts
    bought = ahead._replace(ends_at=NEVER, provisional=False)
    return facts._replace(windows=(*facts.windows[:-1], bought), entitled_until=NEVER, grace_until=None)


def _opened_early(sale: SaleDates, facts: Facts, at: datetime) -> bool:
    standing = facts.standing(at)
    if standing not in HONORED:
        return False
    return any(
        settings.opens_at(sale) <= at
        for settings in _keys(sale, facts.held(at).values())
        if standing is Standing.CURRENT or settings.in_grace == "keep"
    )


def _keys(sale: SaleDates, held: Iterable[Held]) -> Iterator[early_access.Settings]:
    """The settings of the perks among `held` that open this sale, those that stand behind a goodwill one too."""
    for one in held:
        found: Held | None = one
        while found is not None:
            if found.kind == early_access.CODE:
                settings = kinds.load(found.kind, found.settings)[1]
                assert isinstance(settings, early_access.Settings)
                if settings.sales is None or sale.code in settings.sales:
                    yield settings
            found = found.instead


def _turns(sale: SaleDates, facts: Facts) -> Iterator[datetime]:
    """Moments at which the answer can turn."""
    yield from facts.moments()
    for window in (*facts.windows, *facts.goodwill):
        for settings in _keys(sale, window.held):
            yield settings.opens_at(sale)


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
        "member_opens_at": opens_at(sale, if_renewed(facts, at) if facts else None, at) if found else None,
        "open": is_open(sale, facts, at),
    }
