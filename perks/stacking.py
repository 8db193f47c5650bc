"""Which of the perks that may be used are used together, and what they take off: each group's best, then the rest.

Pure; called by the engine once every perk has been weighed by itself.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from perks import kinds

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from perks.basket import Room
    from perks.facts import Held
    from perks.kinds import Effect, Kind, KindSettings, Question


class Candidate(NamedTuple):
    """A perk that is held and may be used; what it does to the basket is still open."""

    held: Held
    kind: Kind
    settings: KindSettings
    uses_left: int | None
    resets_at: datetime | None


def best(candidates: dict[str, Candidate], question: Question) -> dict[str, Effect]:
    """The effects, by code. Of each group of perks that exclude each other one counts: whichever, seen over the whole
    basket, saves the shopper most. So one more perk can never cost more. The question's room is used up."""
    order = sorted(candidates, key=lambda code: (candidates[code].held.kind in kinds.LAST, code))
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for code in order:
        if group := candidates[code].settings.group:
            groups[group].append(code)
    if not groups:
        return _effects(order, candidates, question)
    grouped = {code for group in groups.values() for code in group}
    full = question.room
    found: tuple[int, Room, dict[str, Effect]] | None = None
    for choice in product(*(sorted(group) for _, group in sorted(groups.items()))):
        question.room = full.copy()
        effects = _effects((c for c in order if c in choice or c not in grouped), candidates, question)
        saved = sum(e.amount_off or 0 for e in effects.values())
        if found is None or saved > found[0]:
            found = (saved, question.room, effects)
    assert found is not None  # the product of nothing is one empty choice
    question.room = found[1]
    return found[2]


def _effects(codes: Iterable[str], candidates: dict[str, Candidate], question: Question) -> dict[str, Effect]:
    return {code: candidates[code].kind.effect(candidates[code].settings, question) for code in codes}
