"""The lives of the personas: what each did and when, lived through on the demo's clock, the earliest first.

A new demo begins in the past, at the first of these moments, and ends at the present: so renewals, failed payments
and letters have really happened. There is one clock, hence one order for all of them. How far it has come is noted, so
that a start which was interrupted goes on from there.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management import CommandError

from membership import clock, moments, time_travel
from membership.bootstrap import personas
from membership.models import Term, User

if TYPE_CHECKING:
    from pathlib import Path

    from membership.bootstrap.personas import Persona

YEAR = 365  # days
BIRTHDAY_IN = timedelta(days=20)
BORN = 1988  # a leap year, so that every day is one of it
WORKER_DONE = 20.0  # seconds
TO_PREPARE = timedelta(minutes=10)  # before the first moment, for what must be there by then
OLD_ENOUGH = timedelta(days=YEAR + 30)  # for a leap day to have seen a renewal since


@dataclass(frozen=True)
class Act:
    """Something that a persona does at a moment. `do` may be repeated: it looks at where they stand."""

    at: datetime
    name: str
    do: Callable[[], object]


def begin() -> None:
    """Set the clock of a demo that holds nobody yet to where the story begins. Raises CommandError for one whose
    people were made without a story."""
    if _file().exists():
        return
    if User.objects.exists():
        raise CommandError("This demo was made by an earlier version, without a past: begin anew with --fresh.")
    present = clock.wall()
    _note(present, [])
    clock.turn_to(acts(present)[0].at - TO_PREPARE)


def over() -> bool:
    """Whether all of it has been lived."""
    return "the present" in _read()["done"]


def live(say: Callable[[str], object]) -> None:
    """Go on from where the story stands, to the present. Raises Unexpected when a page leads elsewhere, and what
    time_travel.move raises."""
    noted = _read()
    present, done = clock.at(noted["present"]), list(noted["done"])
    for act in acts(present):
        if act.name not in done:
            _until(act.at)
            say(f"{act.at:%d %B %Y}  {act.name}")
            act.do()
            _note(present, done := [*done, act.name])
    if not over():
        _until(max(present, clock.wall()))
        _note(present, [*done, "the present"])


def _until(moment: datetime) -> None:
    """Move there. The worker is given the time to finish what it has begun: it knows how to draw cards, and to learn
    that here as well would take longer."""
    patience = time.monotonic() + WORKER_DONE
    while moments.waiting() and time.monotonic() < patience:
        time.sleep(0.05)
    if moment > clock.now():
        time_travel.move(to=moment)


def acts(present: datetime) -> list[Act]:
    """Every act, the earliest first, as seen from `present`."""
    gold, silver, bronze, grace, lapsed, canceling, leap, none = personas.PERSONAS
    ago = partial(_ago, present)
    return sorted(
        [
            _joins(leap, _leap_day(present)),
            _joins(lapsed, ago(YEAR + 45)),
            _joins(grace, ago(YEAR + 5)),
            _joins(gold, ago(200)),
            _tells_birthday(gold, ago(190), birthday(present)),
            _joins(silver, ago(120)),
            _joins(canceling, ago(100)),
            Act(ago(75), f"{lapsed.name}'s card goes bad", partial(personas.spoil_card, lapsed, settings.BASE_URL)),
            _joins(bronze, ago(60)),
            Act(ago(40), f"{grace.name}'s card goes bad", partial(personas.spoil_card, grace, settings.BASE_URL)),
            Act(ago(30), f"{canceling.name} cancels", partial(personas.cancel, canceling, settings.BASE_URL)),
            _joins(none, ago(1)),
        ],
        key=lambda act: act.at,
    )


def _joins(persona: Persona, at: datetime) -> Act:
    known, paid = partial(_known, persona), partial(_paid, persona)
    what = f"{persona.name} joins" if persona.plan else f"{persona.name} opens an account"
    return Act(at, what, lambda: personas.bring_to_life(persona, settings.BASE_URL, known=known(), paid=paid))


def birthday(present: datetime) -> date:
    """A day that comes 20 days after the present: today no gift waits yet, a month on one does."""
    coming = present + BIRTHDAY_IN
    return date(BORN, coming.month, coming.day)


def _tells_birthday(persona: Persona, at: datetime, day: date) -> Act:
    return Act(
        at, f"{persona.name} tells her birthday", lambda: personas.tell_birthday(persona, settings.BASE_URL, day)
    )


def _ago(present: datetime, days: int) -> datetime:
    """On a morning so many days ago."""
    return (present - timedelta(days=days)).replace(hour=9, minute=30, second=0, microsecond=0)


def _leap_day(present: datetime) -> datetime:
    """The last 29 February that has seen a renewal since."""
    year = (present - OLD_ENOUGH).year
    while True:
        if year % 4 == 0 and (year % 100 or year % 400 == 0):
            day = present.replace(year=year, month=2, day=29, hour=9, minute=30, second=0, microsecond=0)
            if day <= present - OLD_ENOUGH:
                return day
        year -= 1


def _known(persona: Persona) -> bool:
    return User.objects.filter(email=persona.email).exists()


def _paid(persona: Persona) -> bool:
    """Whether they ever were a member."""
    return Term.objects.filter(membership__member__user__email=persona.email).exists()


def _read() -> dict[str, Any]:
    noted: dict[str, Any] = json.loads(_file().read_text(encoding="utf-8"))
    return noted


def _note(present: datetime, done: list[str]) -> None:
    draft = _file().with_suffix(".draft")
    draft.write_text(json.dumps({"present": present.timestamp(), "done": done}, indent=2), encoding="utf-8")
    draft.replace(_file())


def _file() -> Path:
    path: Path = settings.VIP_DATA / "demo_story.json"
    return path
