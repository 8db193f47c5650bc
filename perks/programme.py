"""Programmes: a whole catalogue (tiers, plans, prices, perks, sales) in one TOML file, loaded as often as you like.

Called by manage.py load_programme and the demo. What members already bought keeps the settings it was sold with.
"""

from __future__ import annotations

import tomllib
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from django.db import transaction
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from membership import pricing
from membership.errors import DomainError
from membership.models import Membership, Plan, Tier
from perks import entitlements, grants, kinds
from perks.models import Event, Perk, Sale, TierPerk

if TYPE_CHECKING:
    from datetime import datetime

FOLDER = Path(__file__).parent / "programmes"
Code = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]
Names = dict[str, str]


class BadProgramme(DomainError):
    """The file is missing or cannot be used; the message says where."""

    code = "bad_programme"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PlanEntry(_Part):
    code: Code
    interval: Plan.Interval = Plan.Interval.YEAR
    grace_days: int = 14
    trial_days: int = 0
    prices: dict[str, int]


class TierEntry(_Part):
    code: Code
    name: str
    rank: int
    color: str
    plans: list[PlanEntry]


class PerkEntry(_Part):
    code: Code
    kind: str
    names: Names
    settings: dict[str, Any] = {}
    tiers: dict[str, dict[str, Any]]


class SaleEntry(_Part):
    code: Code
    names: Names
    opens_in_hours: int
    lasts_days: int


class EventEntry(_Part):
    code: Code
    names: Names
    places: int
    starts_in_days: int
    booking_ends_hours_before: int = 24


class Programme(_Part):
    tiers: list[TierEntry]
    perks: list[PerkEntry] = []
    sales: list[SaleEntry] = []
    events: list[EventEntry] = []
    not_yet: dict[str, list[str]] = {}


def read(name: str) -> Programme:
    """The programme called `name`, checked, its perks' settings too. Raises BadProgramme."""
    path = FOLDER / f"{Path(name).name}.toml"
    if not path.exists():
        known = ", ".join(sorted(p.stem for p in FOLDER.glob("*.toml")))
        raise BadProgramme(f"There is no programme called {name}. There are: {known}.")
    try:
        programme = Programme.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise BadProgramme(f"{path.name}: {error}") from None
    _check_perks(programme)
    return programme


def _check_installation(programme: Programme) -> None:
    """Ranks are an installation's own, and what was granted of one kind cannot become another."""
    ranks = {tier.rank: tier.code for tier in programme.tiers}
    for code, rank in Tier.objects.filter(rank__in=ranks).values_list("code", "rank"):
        if ranks[rank] != code:
            raise BadProgramme(f"This installation has other tiers ({code}). Load the programme into one of its own.")
    kinds_of = {entry.code: entry.kind for entry in programme.perks}
    for code, kind in Perk.objects.filter(code__in=kinds_of, grants__isnull=False).values_list("code", "kind"):
        if kinds_of[code] != kind:
            raise BadProgramme(f"{code} was granted as {kind}: give the {kinds_of[code]} a code of its own.")


def _check_perks(programme: Programme) -> None:
    tiers = {tier.code for tier in programme.tiers}
    for perk in programme.perks:
        if not set(perk.tiers) <= tiers:
            raise BadProgramme(f"{perk.code}: no such tier as {', '.join(sorted(set(perk.tiers) - tiers))}.")
        for tier, settings in perk.tiers.items():
            try:
                kinds.check(perk.kind, {**perk.settings, **settings})
            except kinds.BadSettings as error:
                raise BadProgramme(f"{perk.code} in {tier}: {error}") from None


@transaction.atomic
def load(*, programme: Programme, at: datetime) -> None:
    """Make the catalogue say what the programme says. A sale keeps the dates it was first loaded with.

    Raises BadProgramme where the installation holds another programme.
    """
    _check_installation(programme)
    tiers = {entry.code: _tier(entry, at) for entry in programme.tiers}
    for position, entry in enumerate(programme.perks):
        _perk(entry, position, tiers)
    for sale in programme.sales:
        opens_at = at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=sale.opens_in_hours)
        dates = {"opens_at": opens_at, "closes_at": opens_at + timedelta(days=sale.lasts_days)}
        Sale.objects.update_or_create(
            code=sale.code, defaults={"names": sale.names}, create_defaults={"names": sale.names, **dates}
        )
    for event in programme.events:
        _event(event, at)
    _offer_anew(at)


def _event(entry: EventEntry, at: datetime) -> None:
    """Dates once told stay; names and places follow the programme."""
    starts_at = at.replace(minute=0, second=0, microsecond=0) + timedelta(days=entry.starts_in_days)
    closes_at = starts_at - timedelta(hours=entry.booking_ends_hours_before)
    dates = {"booking_opens_at": at, "booking_closes_at": closes_at, "starts_at": starts_at}
    told = {"names": entry.names, "places": entry.places}
    Event.objects.update_or_create(code=entry.code, defaults=told, create_defaults=told | dates)


def _offer_anew(at: datetime) -> None:
    """Renewals still to be paid follow the catalogue. Each under its membership's lock, as verbs settle too."""
    for pk in Membership.objects.open().order_by("pk").values_list("pk", flat=True):
        membership = Membership.objects.lock(pk)
        grants.settle(membership)
        entitlements.rebuild_all(membership=membership, at=at)


def _tier(entry: TierEntry, at: datetime) -> Tier:
    tier, _ = Tier.objects.update_or_create(
        code=entry.code, defaults={"name": entry.name, "rank": entry.rank, "color": entry.color}
    )
    for plan_entry in entry.plans:
        defaults = {"tier": tier, **plan_entry.model_dump(include={"interval", "grace_days", "trial_days"})}
        plan, _ = Plan.objects.update_or_create(code=plan_entry.code, defaults=defaults)
        for currency, amount in plan_entry.prices.items():
            pricing.put(plan, currency, amount, at)
    return tier


def _perk(entry: PerkEntry, position: int, tiers: dict[str, Tier]) -> None:
    perk, _ = Perk.objects.update_or_create(
        code=entry.code,
        defaults={
            "names": entry.names,
            "kind": entry.kind,
            "settings": entry.settings,
            "position": position,
            "published": True,
        },
    )
    TierPerk.objects.filter(perk=perk).exclude(tier__code__in=entry.tiers).delete()
    for code, settings in entry.tiers.items():
        TierPerk.objects.update_or_create(tier=tiers[code], perk=perk, defaults={"settings": settings})
