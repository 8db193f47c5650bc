"""What a shop should assume while the API does not answer. Nothing here is invented: it was told before, or it is a no.

In this order: the last answer about the member, if it was to the very same question and its `valid_until` has not
come; what the API said of this member in the last day (a no stays a no); each perk's fail mode, as the catalogue told
it for the member's tier. Of somebody the API was never asked about, a perk is given only if its fail mode says so in
every tier that has it.
"""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, Self

from .codec import written
from .errors import PerkApiError
from .models import Basket, CheckOut, DecisionOut, MemberIn, PerkOut

CATALOGUE_SECONDS, AGAIN_SECONDS = 600.0, 30.0  # after one that came, and one that did not
REMEMBERED = timedelta(days=1)
MOST_ANSWERS, MOST_MEMBERS = 1_000, 10_000
COUNTS = frozenset({"current", "grace"})  # standings in which perks work
# A no for these reasons is about the basket that was asked about, and says nothing of the next one.
OF_THE_BASKET = frozenset(
    {
        "below_minimum",
        "country_excluded",
        "method_excluded",
        "item_excluded",
        "nothing_eligible",
        "not_open_yet",
        "closed",
        "full",
        "not_stackable",
        "currency_mismatch",
    }
)


class Question(NamedTuple):
    """What was asked, as it is remembered. `who`: the member as named; None for a guest, or with if_joined."""

    who: str | None
    text: str
    perks: tuple[str, ...] | None

    @classmethod
    def of(
        cls,
        member: MemberIn | None,
        basket: Basket | None,
        perks: Sequence[str] | None,
        channel: str | None,
        if_joined: str | None,
        language: str,
    ) -> Self:
        who = _text({k: v for k, v in written(member).items() if k != "confirmation"}) if member else None
        text = _text(written([member, basket, perks, channel, if_joined, language]))
        return cls(who if if_joined is None else None, text, None if perks is None else tuple(perks))


@dataclass(frozen=True, slots=True)
class Assumed:
    """A perk without an answer. `words`: what the member's tier gets of it, in the language last asked. "": unknown.

    What it takes off a basket is not known: give what the words say, or what your shop gives by itself.
    """

    perk: str
    allowed: bool
    kind: str = ""
    name: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Decided:
    """What to go by at a checkout, and where it comes from. `answer`: None where fail modes have to do.

    `trouble`: why there was no answer now; None where there was.
    """

    source: Literal["answer", "last_answer", "fail_modes"]
    answer: CheckOut | None = None
    assumed: tuple[Assumed, ...] = ()
    trouble: PerkApiError | None = None

    def allows(self, perk: str) -> bool:
        told: Sequence[DecisionOut | Assumed] = self.answer.decisions if self.answer else self.assumed
        return any(one.allowed for one in told if one.perk == perk)


@dataclass(slots=True)
class _Known:
    """What was last told of a member. `noes`: perks refused for the member's sake, and until when if that was said."""

    at: datetime
    tier: str | None = None
    noes: dict[str, datetime | None] = field(default_factory=dict)


class Memory:
    """Answers, members and the catalogue, as last told; of one process, for all its threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: OrderedDict[str, tuple[str, CheckOut]] = (
            OrderedDict()
        )  # one a member: the last, and its question
        self._members: OrderedDict[str, _Known] = OrderedDict()
        self._catalogue: dict[str, PerkOut] = {}
        self._next_look = 0.0

    def wants_catalogue(self) -> bool:
        """Whether to look now; then nobody else is told to for a while, so that one checkout waits for it, not all."""
        with self._lock:
            if time.monotonic() < self._next_look:
                return False
            self._next_look = time.monotonic() + AGAIN_SECONDS
            return True

    def learn(self, perks: Sequence[PerkOut]) -> None:
        """The catalogue, as GET /perks tells it."""
        with self._lock:
            self._catalogue = {perk.perk: perk for perk in perks}
            self._next_look = time.monotonic() + CATALOGUE_SECONDS

    def remember(self, asked: Question, answer: CheckOut, *, at: datetime) -> None:
        """An answer that has just come."""
        with self._lock:
            _keep(self._answers, asked.who or asked.text, (asked.text, answer), MOST_ANSWERS)
            if asked.who is not None:
                before = self._members.get(asked.who)
                known = _Known(at, _tier(answer), dict(before.noes) if before else {})
                for told in answer.decisions:
                    known.noes.pop(told.perk, None)
                    if not told.allowed and told.reason not in OF_THE_BASKET:
                        known.noes[told.perk] = told.resets_at or told.opens_at
                _keep(self._members, asked.who, known, MOST_MEMBERS)

    def was_used(self, check: str) -> None:
        """Its perks are held for an order: the answer says nothing about the next one."""
        with self._lock:
            for key in [key for key, (_question, answer) in self._answers.items() if answer.id == check]:
                del self._answers[key]

    def fall_back(self, asked: Question, trouble: PerkApiError, *, at: datetime) -> Decided:
        """What to assume instead of an answer."""
        with self._lock:
            question, last = self._answers.get(asked.who or asked.text, ("", None))
            if last is not None and question == asked.text and at < last.valid_until:
                return Decided("last_answer", last, trouble=trouble)
            perks = self._catalogue if asked.perks is None else asked.perks
            assumed = tuple(self._assumed(perk, asked.who, at) for perk in perks)
        return Decided("fail_modes", assumed=assumed, trouble=trouble)

    def _assumed(self, code: str, who: str | None, at: datetime) -> Assumed:
        perk = self._catalogue.get(code)
        if perk is None:
            return Assumed(code, allowed=False)
        known = self._members.get(who) if who is not None else None
        if known is None or at - known.at >= REMEMBERED:
            modes = set(perk.fail_modes.values())
            return Assumed(code, allowed=who is not None and modes == {"allow"}, kind=perk.kind, name=perk.name)
        mode = perk.fail_modes.get(known.tier) if known.tier is not None else None
        words = perk.tiers.get(known.tier, "") if known.tier is not None else ""
        return Assumed(
            code, allowed=mode == "allow" and not _refused(known, code, at), kind=perk.kind, name=perk.name, words=words
        )


def _refused(known: _Known, perk: str, at: datetime) -> bool:
    until = known.noes.get(perk)
    return perk in known.noes and (until is None or at < until)


def _tier(answer: CheckOut) -> str | None:
    """The tier whose perks work for the member; None: none does."""
    member = answer.member
    return member.tier if member is not None and member.standing in COUNTS else None


def _keep[V](kept: OrderedDict[str, V], key: str, value: V, most: int) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > most:
        kept.popitem(last=False)


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True)
