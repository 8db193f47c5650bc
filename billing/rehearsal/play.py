"""The play: everybody's acts in the order of their moments, on one moved clock; now and then a look at the house."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from billing.rehearsal import books, stories, verdict
from billing.rehearsal.people import Person
from billing.rehearsal.stories import Act, Story
from membership import clock, time_travel

LOOKS = timedelta(days=10)  # between two looks, at which all of beat's bells are rung
AFTERWARDS = timedelta(days=2)  # for the night's reconcile, and for what is only looked for after a while


class Unsound(Exception):
    """Something that must never be was found. Its message says what, a line each."""


@dataclass
class Played:
    """What was seen at each look, how often each act was tried, and how often it could not be done."""

    seen: list[books.Day] = field(default_factory=list)
    tried: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)


def live(
    people: Iterable[tuple[Person, Story]],
    *,
    start: datetime,
    days: int,
    turn: Callable[[datetime], object] = clock.turn_to,
) -> Played:
    """Let these people live through so many days. Raises Unsound at the first look at which an invariant is broken."""
    end, played = start + timedelta(days=days), Played()
    acts = [Act(start + n * LOOKS, -1, "", lambda: _look(played)) for n in range(1, days // LOOKS.days)]
    for number, (person, story) in enumerate(people):
        acts += [act for act in stories.life(person, story, number=number, start=start, days=days) if act.at < end]
    for act in sorted(acts):
        _move(act.at, turn, arrive=not act.name)
        done = act.do()
        if act.name:
            played.tried[act.name] += 1
            played.refused[act.name] += not done
    _move(end + AFTERWARDS, turn)
    _look(played)
    return played


def _move(to: datetime, turn: Callable[[datetime], object], *, arrive: bool = True) -> None:
    if to <= clock.now():
        return
    failed = time_travel.move(to=to, turn=turn, arrive=arrive).failed
    if failed:
        raise Unsound(f"On the way to {to:%d %B %Y} these failed: {', '.join(sorted(failed))}")


def _look(played: Played) -> None:
    """Every invariant that asks nobody, and how everybody stands."""
    at = clock.now()
    if broken := verdict.broken(offline=True):
        raise Unsound("\n".join([f"On {at:%d %B %Y}:", *broken]))
    played.seen.append(books.day(at))
