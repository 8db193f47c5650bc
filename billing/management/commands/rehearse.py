"""manage.py rehearse: many members live through years on one clock; then every rule and every cent is checked.

VIP_MODE=demo VIP_DATA=/tmp/rehearsal PORT=8999 python manage.py rehearse --members 200 --days 800
"""

from __future__ import annotations

import io
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from billing import gateway
from billing.rehearsal import books, picture, stage, stories, tally
from billing.rehearsal.stories import Act
from membership import clock, time_travel
from membership.bootstrap import data_folder

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterator

LOOK = "look"
LOOKS = timedelta(days=10)  # between two looks at how the house stands, at which all of beat's bells are rung
AFTERWARDS = timedelta(days=2)  # for the night's reconcile, and for what is only looked for after a while
START = datetime(2024, 2, 20, 6, tzinfo=UTC)  # nine days before a leap day
WHOLE = 800  # days in which every story has room for all its acts


class Command(BaseCommand):
    help = "Let many members live through years on one moved clock, then check every invariant and the ledger."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--members", type=int, default=200)
        parser.add_argument("--days", type=int, default=WHOLE)
        parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same lives")
        parser.add_argument("--story", action="append", default=[], metavar="NAME", help="only lives of this kind")
        parser.add_argument("--picture", type=Path, help="where to write the picture (default: VIP_DATA/rehearsal.svg)")

    def handle(self, *, members: int, days: int, seed: int, story: list[str], picture: Path | None, **_: Any) -> None:
        if unknown := set(story) - {one.name for one in stories.STORIES}:
            raise CommandError(f"No such story: {', '.join(sorted(unknown))}")
        began = time.monotonic()
        with data_folder.held(), gateway.patient():
            stage.prepare(start=START)
            with stage.open_door():
                seen = self._live(members, days, seed, story)
                self._check(every_kind=members >= len(stories.STORIES) and days >= WHOLE and not story)
        self._draw(seen, picture, f"{members} members over {days} days")
        self.stdout.write(f"{time.monotonic() - began:.0f} s")

    def _live(self, members: int, days: int, seed: int, only: list[str]) -> list[books.Day]:
        """Everybody's acts in the order of their moments, each at its own. -> the house, every ten days."""
        end = START + timedelta(days=days)
        seen: list[books.Day] = []
        acts = [Act(at, -1, LOOK, lambda: seen.append(books.day(clock.now()))) for at in _every(LOOKS, START, end)]
        for number, (person, story) in enumerate(stories.cast(members=members, seed=seed, only=only)):
            acts += [act for act in stories.life(person, story, number=number, start=START, days=days) if act.at < end]
        tried: Counter[str] = Counter()
        refused: Counter[str] = Counter()
        for act in sorted(acts):
            if act.at > clock.now():
                self._move(act.at, arrive=act.name == LOOK)
            done = act.do()
            if act.name != LOOK:
                tried[act.name] += 1
                refused[act.name] += not done
        self._move(end + AFTERWARDS)
        seen.append(books.day(clock.now()))
        self.stdout.write("Tried: " + ", ".join(_told(name, tried, refused) for name in sorted(tried)))
        return seen

    def _move(self, to: datetime, *, arrive: bool = True) -> None:
        failed = time_travel.move(to=to, arrive=arrive).failed
        if failed:
            raise CommandError(f"Failed on the way: {', '.join(sorted(failed))}")

    def _check(self, *, every_kind: bool) -> None:
        """Raises CommandError unless every invariant holds, the two ledgers agree to the cent, and, where there was
        room for all, no kind of thing was missing."""
        happened = tally.count()
        self.stdout.write("Happened: " + ", ".join(f"{number} {name}" for name, number in happened.items()))
        report = io.StringIO()
        try:
            call_command("check_invariants", stdout=report)
        except CommandError as breach:
            raise CommandError(f"{breach}\n{report.getvalue()}") from None
        ours, stripes = books.ours(), books.stripes()
        if different := books.differences(ours, stripes):
            raise CommandError("\n".join(["Our ledger and Stripe's are not equal:", *different]))
        if every_kind and (missing := [name for name, number in happened.items() if not number]):
            raise CommandError(f"This was no rehearsal, for these never happened: {', '.join(missing)}")
        kept = books.total(ours)
        self.stdout.write(
            f"Invariants clean. {len(ours)} payments: {_units(kept.taken)} taken, {_units(kept.returned)} given back, "
            f"{_units(kept.disputed)} lost to banks; equal to Stripe's, charge by charge."
        )

    def _draw(self, seen: list[books.Day], path: Path | None, title: str) -> None:
        path = path or settings.VIP_DATA / "rehearsal.svg"
        path.write_text(picture.draw(seen, title=title), encoding="utf-8")
        self.stdout.write(f"Picture: {path}")


def _told(name: str, tried: Counter[str], refused: Counter[str]) -> str:
    said = f"{tried[name]} × {name}"
    return f"{said} ({refused[name]} could not)" if refused[name] else said


def _units(minor: int) -> str:
    return f"€ {minor / 100:,.2f}"


def _every(step: timedelta, start: datetime, end: datetime) -> Iterator[datetime]:
    while start < end:
        yield start
        start += step
