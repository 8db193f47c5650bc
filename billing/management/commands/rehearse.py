"""manage.py rehearse: many members live through years on one clock; then every rule and every cent is checked.

VIP_MODE=demo VIP_DATA=/tmp/rehearsal PORT=8999 python manage.py rehearse --members 200 --days 800
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from billing import gateway
from billing.rehearsal import books, picture, play, stage, stories, tally, verdict
from membership.bootstrap import data_folder

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from billing.rehearsal.play import Played
    from billing.rehearsal.till import Till

START = datetime(2024, 2, 20, 6, tzinfo=UTC)  # nine days before a leap day
WHOLE = 800  # days, in which every story has room for all its acts


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
                played = self._play(members, days, seed, story)
                happened = self._judge(
                    played.till,
                    every_kind=members >= len(stories.STORIES) and days >= WHOLE and not story,
                )
        self._draw(played, happened, picture, f"{members} members over {days} days")
        self.stdout.write(f"{time.monotonic() - began:.0f} s")

    def _play(self, members: int, days: int, seed: int, only: list[str]) -> Played:
        people = stories.cast(members=members, seed=seed, only=only)
        try:
            played = play.live(people, start=START, days=days)
        except play.Unsound as problem:
            raise CommandError(str(problem)) from None
        self.stdout.write("Tried: " + ", ".join(_tried(played, name) for name in sorted(played.tried)) + ".")
        return played

    def _judge(self, till: Till, *, every_kind: bool) -> dict[str, int]:
        """What happened. Raises CommandError unless every invariant holds, the two ledgers and the reports agree to the
        cent and, where there was room for all, no kind of thing is missing."""
        happened = tally.count()
        self.stdout.write("Happened: " + _counted(happened))
        if broken := verdict.broken():
            raise CommandError("\n".join(["Not always true:", *broken]))
        if unequal := verdict.unequal():
            raise CommandError("\n".join(["Our ledger is not Stripe's:", *unequal]))
        if wrong := verdict.misreported(till):
            raise CommandError("\n".join(["A report is wrong:", *wrong]))
        if every_kind and (missing := verdict.missing(happened)):
            raise CommandError(f"No rehearsal of everything, for these never happened: {', '.join(missing)}")
        kept = books.total(books.ours())
        self.stdout.write(
            f"Invariants clean. {_units(kept.taken)} taken, {_units(kept.returned)} given back, "
            f"{_units(kept.disputed)} lost to banks, {_units(kept.kept)} kept: equal to Stripe's, charge by charge; "
            "the reports too, month by month and span by span."
        )
        return happened

    def _draw(self, played: Played, happened: dict[str, int], path: Path | None, title: str) -> None:
        path = path or settings.VIP_DATA / "rehearsal.svg"
        told = ("joined", "rejoined", "renewals", "failed payments", "mended", "cancellations", "refunds")
        counted = _counted({name: happened[name] for name in told})
        path.write_text(picture.draw(played.seen, title=title, told=counted), encoding="utf-8")
        self.stdout.write(f"Picture: {path}")


def _tried(played: Played, name: str) -> str:
    said = f"{played.tried[name]} × {name}"
    return f"{said} ({played.refused[name]} could not)" if played.refused[name] else said


def _counted(happened: dict[str, int]) -> str:
    return ", ".join(f"{times} {name}" for name, times in happened.items()) + "."


def _units(minor: int) -> str:
    return f"€ {minor / 100:,.2f}"
