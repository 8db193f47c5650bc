"""The catalogue for staff: what is on sale now, what is drafted, and what is on its way to members."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import Count, Q
from django.http import Http404
from django.shortcuts import render

from membership import clock, stories
from membership.console.access import page, staff_of
from membership.models import AuditEntry, Plan, Price, Tier
from membership.roles import Permission
from perks import drafts, kinds, members, previews, sale_changes
from perks.models import Perk, PerkDraft, Publication, Sale, TierPerk

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest, HttpResponse

SHOWN = 10  # of what was published of a perk


@dataclass(frozen=True)
class PlanRow:
    plan: Plan
    prices: list[Price]


@dataclass(frozen=True)
class PerkRow:
    """A perk with its words for each tier; `state`: draft, retired, new or empty."""

    perk: Perk
    words: list[tuple[Tier, str]]
    state: str
    draft: PerkDraft | None
    by: str


@page(Permission.SEE)
def overview(request: HttpRequest) -> HttpResponse:
    staff, tiers = staff_of(request), list(Tier.objects.all())
    live = Price.objects.filter(retired_at=None).order_by("currency")
    plans = [
        PlanRow(plan, [price for price in live if price.plan_id == plan.pk])
        for plan in Plan.objects.select_related("tier")
    ]
    context = {
        "staff": staff,
        "offers": staff.may(Permission.OFFER),
        "keys": staff.may(Permission.KEYS),
        "tiers": tiers,
        "plans": plans,
        "perks": _perk_rows(tiers),
        "sales": _sale_rows(tiers, clock.now()),
        "going": Publication.objects.filter(done_at=None).select_related("draft__perk"),
    }
    return render(request, "console/catalogue.html", context)


def _perk_rows(tiers: list[Tier]) -> list[PerkRow]:
    sold = {(o.perk_id, o.tier_id): o for o in TierPerk.objects.select_related("perk")}
    open_ones = {draft.perk_id: draft for draft in PerkDraft.objects.filter(outcome="")}
    names = stories.names_of({draft.author for draft in open_ones.values()})
    rows = []
    for perk in Perk.objects.all():
        offered = [(tier, sold.get((perk.pk, tier.pk))) for tier in tiers]
        words = [(tier, members.words(perk.kind, one.sold_settings()) if one else "") for tier, one in offered]
        draft = open_ones.get(perk.pk)
        rows.append(PerkRow(perk, words, _state(perk), draft, names.get(draft.author, "") if draft else ""))
    return rows


@dataclass(frozen=True)
class SaleRow:
    """`openings`: of each tier; None: with everybody. `letters`: so many were written."""

    sale: Sale
    openings: list[tuple[Tier, datetime | None]]
    letters: int
    state: str


def _sale_rows(tiers: list[Tier], at: datetime) -> list[SaleRow]:
    """Those that are not over, and the latest that are."""
    written = Count("first_accesses", filter=Q(first_accesses__letter__isnull=False))
    rows = []
    opened = sale_changes.openers()
    for sale in Sale.objects.annotate(letters=written).order_by("-opens_at", "code")[:SHOWN]:
        early = sale_changes.openings(sale_changes.Wanted.of(sale), sale.code, opened)
        state = "over" if at >= sale.closes_at else "draft" if not sale.published else ""
        state = state or ("open" if at >= sale.opens_at else "ahead")
        rows.append(SaleRow(sale, [(tier, early.get(tier.code)) for tier in tiers], sale.letters, state))
    return rows


def _state(perk: Perk) -> str:
    if perk.published:
        return ""
    return "retired" if drafts.was_ever_on_sale(perk) else "new"


def perk_of(code: str) -> Perk:
    """The perk with this code, as it stands in a console address. Raises Http404."""
    found = Perk.objects.filter(code=code).first()
    if found is None:
        raise Http404
    return found


@dataclass(frozen=True)
class TierColumn:
    """A tier on a perk's page: what it sells now, and its column of the plans page as drafted, by language."""

    tier: Tier
    words: str
    listed: kinds.Listed | None
    carried: bool
    drafted: bool
    plans_page: list[tuple[str, list[previews.PlansLine]]]


@page(Permission.SEE)
def perk(request: HttpRequest, code: str) -> HttpResponse:
    """One perk: as it is, as it is drafted, what publishing that would do, and what was published of it."""
    found, at = perk_of(code), clock.now()
    draft = drafts.current(found)
    preview = previews.of(perk=found, draft=draft, at=at) if draft else None
    changed = {change.tier.pk for change in preview.tiers} if preview else set()
    context = {
        "staff": staff_of(request),
        "offers": staff_of(request).may(Permission.OFFER),
        "perk": found,
        "kind": kinds.ALL[found.kind].LABEL,
        "state": _state(found),
        "draft": draft,
        "saw": drafts.seen(found),
        "author": stories.names_of([draft.author]).get(draft.author, "") if draft else "",
        "preview": preview,
        "columns": [_column(found, tier, drafted=tier.pk in changed) for tier in Tier.objects.all()],
        "told": _published(found),
        "going": Publication.objects.filter(done_at=None, draft__perk=found).first(),
    }
    return render(request, "console/perk.html", context)


def _column(found: Perk, tier: Tier, *, drafted: bool) -> TierColumn:
    wanted = drafts.content(found)
    offered = TierPerk.objects.filter(perk=found, tier=tier).select_related("perk").first()
    shown = [
        (str(name), previews.plans_page(perk=found, content=wanted, tier=tier, language=language))
        for language, name in settings.LANGUAGES
    ]
    sold = (found.kind, offered.sold_settings()) if offered and found.published else None
    words, listed = (members.words(*sold), members.listed(*sold)) if sold else ("", None)
    return TierColumn(tier, words, listed, tier.code in wanted["tiers"], drafted, shown if drafted else [])


def _published(found: Perk) -> list[dict[str, Any]]:
    """What was published of it, the newest first, with who and why."""
    entries = list(
        AuditEntry.objects.filter(verb="publish_perk", subject=f"perk:{found.code}").order_by("-at", "-pk")[:SHOWN]
    )
    names = stories.names_of({entry.actor for entry in entries})
    ways = {p.draft.number: p for p in Publication.objects.filter(draft__perk=found).select_related("draft")}
    return [
        {
            "at": entry.at,
            "who": names.get(entry.actor, ""),
            "reason": entry.data.get("reason", ""),
            "way": ways.get(entry.data.get("draft", 0)),
        }
        for entry in entries
    ]
