"""Members and the catalogue as the API tells them: what is held, what each tier gets."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import orjson

from membership.standing import HONORED
from perks import kinds
from perks.engine import uses
from perks.kinds.base import localized
from perks.models import Perk, TierPerk

if TYPE_CHECKING:
    from datetime import datetime

    from perks.facts import Facts
    from perks.kinds.base import KindSettings
    from perks.lookup import Found


def detail(found: Found, *, at: datetime) -> dict[str, Any]:
    """GET /members/{number}. Perks are listed while the membership counts: current, or in its grace."""
    facts = found.facts
    return {
        "number": found.number,
        "tier": facts.tier(at) if facts else None,
        "standing": facts.standing(at) if facts else None,
        "entitled_until": facts.entitled_until if facts else None,
        "next_change": min((m for m in facts.moments() if m > at), default=None) if facts else None,
        "perks": _held(facts, at) if facts and facts.standing(at) in HONORED else [],
    }


def _held(facts: Facts, at: datetime) -> list[dict[str, Any]]:
    held = facts.held(at)
    names = dict(Perk.objects.filter(code__in=held).values_list("code", "names"))
    told = []
    for code, one in held.items():
        kind, settings = kinds.load(one.kind, one.settings)
        left, resets_at = uses(one, settings, facts.about, at)
        told.append(
            {
                "perk": code,
                "kind": one.kind,
                "name": localized(names[code]),
                "words": kind.words(settings),
                "fail_mode": settings.fail_mode,
                "uses_left": left,
                "resets_at": resets_at,
            }
        )
    return told


def usable_from(facts: Facts, code: str, at: datetime) -> datetime | None:
    """When what is left of a held perk may first be used; None: now, or nobody can say."""
    one = facts.held(at, [code])[code]
    _kind, settings = kinds.load(one.kind, one.settings)
    return settings.usable_from(at, facts.about)


def catalogue() -> list[dict[str, Any]]:
    """GET /perks."""
    tiers: defaultdict[int, dict[str, str]] = defaultdict(dict)
    fail_modes: defaultdict[int, dict[str, str]] = defaultdict(dict)
    for offered in TierPerk.objects.select_related("perk", "tier").order_by("tier__rank"):
        kind, settings = _loaded(offered.perk.kind, offered.sold_settings())
        tiers[offered.perk_id][offered.tier.code] = kind.words(settings)
        fail_modes[offered.perk_id][offered.tier.code] = settings.fail_mode
    return [
        {
            "perk": perk.code,
            "kind": perk.kind,
            "name": perk.name,
            "tiers": tiers[perk.pk],
            "fail_modes": fail_modes[perk.pk],
        }
        for perk in Perk.objects.filter(published=True)
    ]


def listed_in(facts: Facts, code: str, at: datetime) -> kinds.Listed | None:
    """By name what the words of a held perk only count."""
    one = facts.held(at, [code])[code]
    return kinds.listed(*kinds.load(one.kind, one.settings))


def listed(kind: str, settings: dict[str, Any]) -> kinds.Listed | None:
    """By name what the words of a perk only count, as a tier sells it or as it was sold."""
    return kinds.listed(*_loaded(kind, settings))


def words(kind: str, settings: dict[str, Any]) -> str:
    """A perk in plain words, as a tier sells it or as it was sold."""
    loaded, checked = _loaded(kind, settings)
    return loaded.words(checked)


def _loaded(kind: str, settings: dict[str, Any]) -> tuple[kinds.Kind, KindSettings]:
    return kinds.load(kind, orjson.dumps(settings, option=orjson.OPT_SORT_KEYS).decode())
