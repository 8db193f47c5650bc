"""What is told of a member's perks in their story: an order that used them, goods that came back, gestures of goodwill.

Entries are written in the transaction of the change, and each is kept once: its source names what it tells of. A hold
is told of by what became of it, not when it is made: most are paid a minute later. They stand in the story of who used
the perk, which in a household need not be who pays for it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from membership import calendar, timeline
from membership.models import TimelineEntry
from membership.templatetags.vip import day
from perks.kinds.base import localized
from perks.models import Perk, Redemption

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from django.utils.functional import _StrPromise as Words

    from membership.models import Member

WORDS = {
    "perk.used": _("Order %(order)s: %(perks)s."),
    "perk.returned": _("Goods of order %(order)s came back: %(perks)s."),
    "perk.released": _("Order %(order)s was not placed after all: %(perks)s."),
    "perk.expired": _("Order %(order)s was never paid: %(perks)s."),
    "give_perk": _("Given to you by us, until %(last_day)s: %(perks)s."),
    "take_perk_back": _("What we gave you ended early: %(perks)s."),
    "perk_improved": _("Better than what you bought, at no extra cost: %(perks)s."),
}
# What became of no order takes nothing and gives nothing: for staff, who are asked why, and not for the member.
FOR_MEMBERS = ("perk.used", "perk.returned", "give_perk", "take_perk_back", "perk_improved")
SHOWN = 30


@dataclass(frozen=True)
class Before:
    """A redemption before goods came back: what had come back of it by then."""

    lines: dict[str, int]
    worths: dict[int, int]
    open: int

    @classmethod
    def of(cls, uses: Sequence[Redemption]) -> Before:
        worths = {use.pk: use.returned_worth for use in uses}
        return cls(uses[0].returned, worths, sum(use.closed_at is None for use in uses))


def used(uses: Sequence[Redemption], *, at: datetime) -> None:
    """The order was paid."""
    timeline.write_all([_entry("perk.used", uses, at=at, worth=_sums(uses, {}))])


def released(uses: Sequence[Redemption], *, at: datetime) -> None:
    """The order was abandoned, and its shop said so."""
    timeline.write_all([_entry("perk.released", uses, at=at)])


def returned(uses: Sequence[Redemption], before: Before, *, at: datetime) -> None:
    """Goods came back, if any did. The pieces back so far tell one return from the next."""
    pieces = {line: n - before.lines.get(line, 0) for line, n in uses[0].returned.items()}
    back = {line: n for line, n in pieces.items() if n}
    if not back and Before.of(uses).open == before.open:
        return
    so_far = sum(uses[0].returned.values())
    entry = _entry("perk.returned", uses, at=at, lines=back, worth=_sums(uses, before.worths))
    entry.source_ref += f":{so_far}"
    timeline.write_all([entry])


def ran_out(idents: Iterable[str]) -> None:
    """Holds ended by themselves, each at its own moment."""
    by_ident: defaultdict[str, list[Redemption]] = defaultdict(list)
    for use in Redemption.objects.filter(ident__in=set(idents)).select_related("grant__perk").order_by("pk"):
        by_ident[use.ident].append(use)
    timeline.write_all(
        _entry("perk.expired", uses, at=uses[0].expires_at, actor="system") for uses in by_ident.values()
    )


def _entry(
    kind: str, uses: Sequence[Redemption], *, at: datetime, actor: str = "", **facts: dict[str, int]
) -> TimelineEntry:
    one = uses[0]
    return TimelineEntry(
        member_id=one.member_id,
        kind=kind,
        at=at,
        actor=actor or f"shop:{one.shop_id}",
        data={"redemption": one.ident, "order": one.order_ref, "perks": [u.grant.perk.code for u in uses], **facts},
        source_ref=one.ident,
    )


def _sums(uses: Sequence[Redemption], before: dict[int, int]) -> dict[str, int]:
    """By currency: the worth of the uses, or what of it has come back since `before`."""
    sums: defaultdict[str, int] = defaultdict(int)
    for use in uses:
        sums[use.currency] += use.returned_worth - before[use.pk] if before else use.worth
    return dict(sums)


@dataclass(frozen=True)
class Line:
    """An entry in words; `worth`: what it gave or took back, amount and currency."""

    at: datetime
    words: str
    worth: list[tuple[int, str]]


def of_member(member: Member) -> list[Line]:
    """What the member is shown of it, the newest first, in their language and zone."""
    entries = list(TimelineEntry.objects.filter(member=member, kind__in=FOR_MEMBERS)[:SHOWN])
    return told(entries)


def told(entries: Sequence[TimelineEntry], *, words: Mapping[str, Words] = WORDS) -> list[Line]:
    """Entries of the kinds in WORDS, in the language and the zone that are active; `words` for another reader."""
    perks = {code for entry in entries for code in _perks(entry)}
    names = {code: localized(names) for code, names in Perk.objects.filter(code__in=perks).values_list("code", "names")}
    return [Line(entry.at, _words(words, entry, names), _worth(entry)) for entry in entries]


def _perks(entry: TimelineEntry) -> list[str]:
    return entry.data.get("perks") or [entry.data["perk"]]


def _words(words: Mapping[str, Words], entry: TimelineEntry, names: dict[str, str]) -> str:
    until = datetime.fromisoformat(entry.data["until"]) if entry.kind == "give_perk" else None
    filled = {
        "order": entry.data.get("order"),
        "perks": ", ".join(names.get(code, code) for code in _perks(entry)),
        "last_day": day(calendar.last_day(until, timezone.get_current_timezone_name())) if until else "",
    }
    return str(words[entry.kind]) % filled


def _worth(entry: TimelineEntry) -> list[tuple[int, str]]:
    sign = -1 if entry.kind == "perk.returned" else 1
    return [(sign * amount, currency) for currency, amount in entry.data.get("worth", {}).items() if amount]
