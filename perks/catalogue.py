"""The catalogue as the engine wants it, at most a second old: published perks, sales, what joining would give."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import orjson
from django.conf import settings
from django.urls import NoReverseMatch, reverse

from membership import clock
from membership.models import Plan, Price
from perks import events
from perks.engine import World
from perks.facts import Facts, Held, Window
from perks.fresh import Fresh
from perks.kinds.base import SaleDates
from perks.models import Perk, Sale, TierPerk

if TYPE_CHECKING:
    from collections.abc import Mapping

A_YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Offer:
    """A plan as somebody could buy it now: fee by currency (minor units), and the perks of its tier."""

    plan: str
    tier: str
    fees: dict[str, int]
    held: tuple[Held, ...]

    def as_if_joined(self, at: datetime) -> Facts:
        """The facts of somebody who joined this very moment."""
        until = at + A_YEAR
        window = Window(at, until, self.tier, provisional=False, held=self.held)
        return Facts("active", "", "UTC", at, until, None, None, (), (), (window,), ())


@dataclass(frozen=True, slots=True)
class Catalogue:
    world: World
    offers: Mapping[str, Offer]


_now: Fresh[None, Catalogue] = Fresh()


def current() -> Catalogue:
    """The catalogue, at most a second old."""
    return _now.get(None, _load)


def _load() -> Catalogue:
    perks = dict(Perk.objects.filter(published=True).values_list("code", "kind"))
    sales = {s.code: SaleDates(s.code, s.names, s.opens_at, s.closes_at) for s in Sale.objects.filter(published=True)}
    return Catalogue(World(perks, sales, link("mend-payment"), events.bookable(at=clock.now())), _offers())


def _offers() -> dict[str, Offer]:
    held: defaultdict[int, list[Held]] = defaultdict(list)
    for offered in TierPerk.objects.filter(perk__published=True).select_related("perk"):
        sold = orjson.dumps(offered.sold_settings(), option=orjson.OPT_SORT_KEYS).decode()
        held[offered.tier_id].append(Held(0, offered.perk.code, offered.perk.kind, sold, {}))
    fees: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for plan_id, currency, amount in Price.objects.filter(retired_at=None).values_list("plan", "currency", "amount"):
        fees[plan_id][currency] = amount
    plans = Plan.objects.filter(published=True).select_related("tier")
    return {p.code: Offer(p.code, p.tier.code, fees[p.pk], tuple(held[p.tier_id])) for p in plans}


def link(name: str, *args: str) -> str:
    """The whole address of a page of an upper app, linked by name only; empty where that app has no such page."""
    try:
        return f"{settings.BASE_URL}{reverse(name, args=args)}"
    except NoReverseMatch:
        return ""
