"""The play: everybody's acts in the order of their moments, on one moved clock; now and then a look at the house."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from billing.rehearsal import books, stories, verdict
from billing.rehearsal.people import Person
from billing.rehearsal.stories import Act, Story
from billing.rehearsal.till import Till
from membership import clock, time_travel

LOOKS = timedelta(days=10)  # between two looks at how everybody stands
INSPECTED = 5  # so many looks make one at which all of beat's bells are rung and every invariant is checked
LOOK, INSPECTION = "look", "inspection"  # acts of nobody
AFTERWARDS = timedelta(days=2)  # for the night's reconcile, and for what is only looked for after a while


class Unsound(Exception):
    """Something that must never be was found. Its message says what, a line each."""


@dataclass
class Played:
    """What was seen at each look, how often each act was tried, and how often it could not be done; the shop's till."""

    seen: list[books.Day] = field(default_factory=list)
    till: Till = field(default_factory=Till)
    tried: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)


def live(
    people: Iterable[tuple[Person, Story]],
    *,
    start: datetime,
    days: int,
    turn: Callable[[datetime], object] = clock.turn_to,
) -> Played:
    """Let these people live through so many days. Raises Unsound at the first inspection that finds a breach."""
    end, played = start + timedelta(days=days), Played()
    acts = list(_looks(start, days, played))
    for number, (person, story) in enumerate(people):
        person.till = played.till
        acts += [act for act in stories.life(person, story, number=number, start=start, days=days) if act.at < end]
    for act in sorted(acts):
        _move(act.at, turn, arrive=act.name == INSPECTION)
        done = act.do()
        if act.number >= 0:
            played.tried[act.name] += 1
            played.refused[act.name] += not done
    _move(end + AFTERWARDS, turn)
    _inspect(played)
    return played


def _looks(start: datetime, days: int, played: Played) -> Iterator[Act]:
    for number in range(1, days // LOOKS.days):
        at = start + number * LOOKS
        if number % INSPECTED:
            yield Act(at, -1, LOOK, lambda: _look(played))
        else:
            yield Act(at, -1, INSPECTION, lambda: _inspect(played))


def _move(to: datetime, turn: Callable[[datetime], object], *, arrive: bool = True) -> None:
    if to <= clock.now():
        return
    failed = time_travel.move(to=to, turn=turn, arrive=arrive).failed
    if failed:
        raise Unsound(f"On the way to {to:%d %B %Y} these failed: {', '.join(sorted(failed))}")


def _look(played: Played) -> None:
    """How everybody stands."""
    played.seen.append(books.day(clock.now()))


def _inspect(played: Played) -> None:
    """Every invariant that asks nobody, the reports, and how everybody stands."""
    if broken := verdict.broken(offline=True):
        raise Unsound("\n".join([f"On {clock.now():%d %B %Y}:", *broken]))
    if wrong := verdict.misreported(played.till):
        raise Unsound("\n".join([f"On {clock.now():%d %B %Y} a report was wrong:", *wrong]))
    _look(played)
