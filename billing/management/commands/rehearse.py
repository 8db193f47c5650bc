"""manage.py rehearse: many members live through years on one clock; then every rule and every cent is checked.

VIP_MODE=demo VIP_DATA=/tmp/rehearsal PORT=8999 python manage.py rehearse --members 200 --days 800
"""

from __future__ import annotations

import io
import random
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from billing import gateway
from billing.rehearsal import books, picture, stage
from billing.rehearsal.people import Act, Person
from membership import clock, time_travel
from membership.bootstrap import data_folder

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterator
    from datetime import datetime

LOOK = "look"
LOOKS = timedelta(days=10)  # between two looks at how the house stands
AFTERWARDS = timedelta(days=2)  # for the night's reconcile, and for what is only looked for after a while


class Command(BaseCommand):
    help = "Let many members live through years on one moved clock, then check every invariant and the ledger."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--members", type=int, default=200)
        parser.add_argument("--days", type=int, default=800)
        parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same lives")
        parser.add_argument("--picture", type=Path, help="where to write the picture (default: VIP_DATA/rehearsal.svg)")

    def handle(self, *, members: int, days: int, seed: int, picture: Path | None, **options: Any) -> None:
        began = time.monotonic()
        start = (clock.wall() - timedelta(days=days)).replace(hour=6, minute=0, second=0, microsecond=0)
        with data_folder.held(), gateway.patient():
            stage.prepare(start=start)
            with stage.open_door():
                seen = self._live(random.Random(seed), start, members, days)  # noqa: S311 (a seed is the point)
                self._check()
        self._draw(seen, picture, f"{members} members over {days} days (seed {seed})")
        self.stdout.write(f"{time.monotonic() - began:.0f} s")

    def _live(self, dice: random.Random, start: datetime, members: int, days: int) -> list[books.Day]:
        """Everybody's acts in the order of their moments, each at its own. -> the house, every ten days."""
        people = [Person(number, random.Random(dice.random())) for number in range(members)]  # noqa: S311
        end = start + timedelta(days=days)
        seen: list[books.Day] = []
        looks = [Act(at, LOOK, lambda: seen.append(books.day(clock.now()))) for at in _every(LOOKS, start, end)]
        acts = sorted([a for person in people for a in person.life(start, days) if a.at < end] + looks)
        done: Counter[str] = Counter()
        for act in acts:
            if act.at > clock.now():
                self._move(act.at, arrive=act.name == LOOK)
            act.do()
            done[act.name] += act.name != LOOK
        self._move(end + AFTERWARDS)
        seen.append(books.day(clock.now()))
        self.stdout.write(", ".join(f"{count} × {name}" for name, count in sorted(done.items()) if count))
        return seen

    def _move(self, to: datetime, *, arrive: bool = True) -> None:
        failed = time_travel.move(to=to, arrive=arrive).failed
        if failed:
            raise CommandError(f"Failed on the way: {', '.join(sorted(failed))}")

    def _check(self) -> None:
        """Raises CommandError unless every invariant holds and the two ledgers agree to the cent."""
        report = io.StringIO()
        try:
            call_command("check_invariants", stdout=report)
        except CommandError as breach:
            raise CommandError(f"{breach}\n{report.getvalue()}") from None
        if different := books.difference():
            raise CommandError(f"Our ledger and Stripe's differ (ours, Stripe's): {different}")
        kept = books.ours()
        self.stdout.write(
            f"invariants clean; {kept.payments} payments, {kept.captured / 100:.2f} taken, "
            f"{kept.returned / 100:.2f} given back, equal to Stripe's"
        )

    def _draw(self, seen: list[books.Day], path: Path | None, title: str) -> None:
        path = path or settings.VIP_DATA / "rehearsal.svg"
        path.write_text(picture.draw(seen, title=title), encoding="utf-8")
        self.stdout.write(f"picture: {path}")


def _every(step: timedelta, start: datetime, end: datetime) -> Iterator[datetime]:
    while start < end:
        yield start
        start += step
