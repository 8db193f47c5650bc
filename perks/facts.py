"""Facts: an entitlement row as the engine reads it. Pure; the same questions as membership.standing, asked of one row.

tests/perks/test_facts.py holds `Facts.standing` to membership.standing.at.

A row tells what is the member's own. What their perks were sold under is most of what there is to tell, and the same
for all who bought the same: it stands apart, once (perks.sold).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from membership.standing import HELD, Standing
from perks.kinds.base import About

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

Moment = datetime
_moment = datetime.fromisoformat


class AsSold(NamedTuple):
    """What a perk was sold under: its code, its kind and its settings, these as JSON."""

    perk: str
    kind: str
    settings: str


class Held(NamedTuple):
    """A perk that is held: its grant, and what it was sold under (AsSold). `used`: uses a period so far.

    `holds`: of these, period and end of each that is only held.
    `since`: where uses carry over, the moment from which the perk has been held without a gap. `instead`: what counts
    where this one says no: a gesture of goodwill never takes from what was bought.
    """

    grant: int
    perk: str
    kind: str
    settings: str
    used: dict[str, int]
    since: str | None = None
    instead: Held | None = None
    holds: Sequence[tuple[str, str]] = ()

    def used_at(self, at: datetime) -> Mapping[str, int]:
        """The uses a period that are taken at `at`: a hold that was never committed counts until its end."""
        if not self.holds:
            return self.used
        over = Counter(period for period, until in self.holds if _moment(until) <= at)
        return {period: uses - over[period] for period, uses in self.used.items()}

    def next_free(self, at: datetime) -> datetime | None:
        """When the next hold runs out, if nothing becomes of it."""
        every = (*self.holds, *self.instead.holds) if self.instead else self.holds
        return min((end for _, until in every if (end := _moment(until)) > at), default=None) if every else None


class Window(NamedTuple):
    """A stretch [starts_at, ends_at) in which one set of perks is held. Provisional: its renewal is not yet paid."""

    starts_at: Moment
    ends_at: Moment
    tier: str
    provisional: bool
    held: Iterable[Held]


class Facts(NamedTuple):
    """One membership, as of the last change to it. `windows` are ordered; where two overlap, the later one counts.

    `seat`: for a member with a membership and a household seat, the one that speaks while the own is not held.
    `birthday`: month and day, kept only while a perk that asks for it is held.
    """

    status: str
    end_reason: str
    zone: str
    began_at: Moment | None
    entitled_until: Moment | None
    grace_until: Moment | None
    cut_at: Moment | None
    stops: tuple[tuple[Moment, Moment | None], ...]
    pauses: tuple[tuple[Moment, Moment], ...]
    windows: tuple[Window, ...]
    goodwill: tuple[Window, ...]
    seat: Facts | None = None
    birthday: tuple[int, int] | None = None

    @property
    def about(self) -> About:
        """What a perk's rule may ask."""
        return About(self.zone, self.birthday)

    def speaking(self, at: datetime) -> Facts:
        """Those that count at `at`, as standing.current_membership chooses."""
        return self if self.seat is None or self.standing(at) in HELD else self.seat

    def standing(self, at: datetime) -> Standing:
        if self.entitled_until is None or self.began_at is None:
            return Standing.ENDED if self.status == "ended" else Standing.PENDING
        if self.cut_at is not None and at >= self.cut_at:
            return Standing.ENDED
        if at < self.began_at:
            return Standing.PENDING
        if any(start <= at and (end is None or at < end) for start, end in self.stops):
            return Standing.SUSPENDED
        if any(start <= at < end for start, end in self.pauses):
            return Standing.PAUSED
        if at < self.entitled_until:
            return Standing.CURRENT
        if self.grace_until is not None and at < self.grace_until:
            return Standing.GRACE
        return Standing.LAPSED

    def window(self, at: datetime) -> Window | None:
        """The window that counts at `at`."""
        return next((w for w in reversed(self.windows) if w.starts_at <= at < w.ends_at), None)

    def tier(self, at: datetime) -> str | None:
        """The tier held at `at`: the last that was paid for, also in the hours and the grace after its term."""
        begun = [w.tier for w in self.windows if w.starts_at <= at and not w.provisional]
        return begun[-1] if begun else None

    def held(self, at: datetime, only: Collection[str] | None = None) -> dict[str, Held]:
        """The perks held at `at`, by code; `only` these, if given. A goodwill grant stands in for the tier's perk of
        the same code."""
        window = self.window(at)
        held = {h.perk: h for h in window.held if only is None or h.perk in only} if window else {}
        for extra in self.goodwill:
            if extra.starts_at <= at < extra.ends_at:
                more = [h for h in extra.held if only is None or h.perk in only]
                held.update((h.perk, h._replace(instead=held.get(h.perk))) for h in more)
        return held

    def moments(self) -> list[datetime]:
        """Every moment at which standing, tier or grants can change."""
        found = [m for m in (self.entitled_until, self.grace_until, self.cut_at) if m is not None]
        found += [m for stretch in (*self.stops, *self.pauses) for m in stretch if m is not None]
        found += [m for w in (*self.windows, *self.goodwill) for m in (w.starts_at, w.ends_at)]
        return found


def load(own: str, sold: Sequence[AsSold]) -> Facts:
    """The facts in a row, with what its perks were sold under."""
    data = orjson.loads(own)
    seat = data.get("seat")
    return _facts(data, sold, _facts(seat, sold) if seat else None)


def dump(facts: dict[str, Any]) -> tuple[str, list[AsSold]]:
    """The facts as a row keeps them, and what stands apart; of the shape that `entitlements` makes."""
    sold: dict[AsSold, int] = {}
    for one in (facts, facts.get("seat")):
        for window in (*one["windows"], *one["goodwill"]) if one else ():
            for held in window["held"]:
                held["sold"] = sold.setdefault(held.pop("sold"), len(sold))
    return as_line(facts), list(sold)


def as_line(part: Any) -> str:
    return orjson.dumps(part, option=orjson.OPT_UTC_Z).decode()


def _facts(data: dict[str, Any], sold: Sequence[AsSold], seat: Facts | None = None) -> Facts:
    return Facts(
        status=data["status"],
        end_reason=data["end_reason"],
        zone=data["zone"],
        began_at=_maybe(data["began_at"]),
        entitled_until=_maybe(data["entitled_until"]),
        grace_until=_maybe(data["grace_until"]),
        cut_at=_maybe(data["cut_at"]),
        stops=tuple((_moment(start), _maybe(end)) for start, end in data["stops"]),
        pauses=tuple((_moment(start), _moment(end)) for start, end in data["pauses"]),
        windows=tuple(_window(w, sold) for w in data["windows"]),
        goodwill=tuple(_window(w, sold) for w in data["goodwill"]),
        seat=seat,
        birthday=tuple(data["birthday"]) if "birthday" in data else None,
    )


def _maybe(text: str | None) -> datetime | None:
    return None if text is None else _moment(text)


def _window(data: dict[str, Any], sold: Sequence[AsSold]) -> Window:
    return Window(
        starts_at=_moment(data["starts_at"]),
        ends_at=_moment(data["ends_at"]),
        tier=data["tier"],
        provisional=data["provisional"],
        held=_Unpacked(data["held"], sold),
    )


@dataclass(slots=True)
class _Unpacked:
    """The perks of a window, made when they are asked for: most checks look at one window of several."""

    rows: list[dict[str, Any]]
    sold: Sequence[AsSold]

    def __iter__(self) -> Iterator[Held]:
        for row in self.rows:
            get = row.get
            one = (row["grant"], *self.sold[row["sold"]], get("used", {}), get("since"), None, get("holds", ()))
            yield Held._make(one)
