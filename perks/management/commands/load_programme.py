"""manage.py load_programme laurel: fill the catalogue from perks/programmes/. Safe to repeat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from membership import clock
from perks import programme

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    help = "Load a programme: tiers, plans, prices, perks and sales. Safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="a file in perks/programmes/ without its ending: laurel")
        parser.add_argument(
            "--without-dates",
            action="store_true",
            help="leave sales and events for later: both begin soon after they are loaded",
        )

    def handle(self, *args: Any, name: str, without_dates: bool, **options: Any) -> None:
        try:
            read = programme.read(name)
            if without_dates:
                read.sales, read.events = [], []
            programme.load(programme=read, at=clock.now())
        except programme.BadProgramme as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{name}: {len(read.tiers)} tiers, {len(read.perks)} perks, {len(read.sales)} sales.")
        for tier, words in read.not_yet.items():
            self.stdout.write(f"Not yet offered in {tier}: {'; '.join(words)}.")
