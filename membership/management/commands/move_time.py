"""manage.py move_time: move the demo's clock as the bar on its pages does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.dateparse import parse_datetime

from membership import clock, moments, time_travel
from membership.errors import DomainError

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    help = "Move the demo's clock forward, stopping wherever something is due. The demo must be running."

    def add_arguments(self, parser: ArgumentParser) -> None:
        how = parser.add_mutually_exclusive_group(required=True)
        how.add_argument("--to", type=_moment, metavar="MOMENT", help="2027-03-02 or 2027-03-02T10:00 (UTC)")
        how.add_argument("--days", type=float, help="so many days on")
        how.add_argument("--next-renewal", action="store_true", help="until the next renewal in the house is charged")

    def handle(self, *, to: datetime | None, days: float | None, **options: Any) -> None:
        if settings.VIP_CLOCK != "membership.clock.demo":
            raise CommandError("Only a demo's clock can be moved (VIP_MODE=demo).")
        now = clock.now()
        if days is not None:
            to = now + timedelta(days=days)
        to = to or moments.next_renewal(membership=None, at=now)
        if to is None:
            raise CommandError("No renewal is awaited by anybody.")
        try:
            journey = time_travel.move(to=to)
        except DomainError as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(f"{journey.arrived_at:%Y-%m-%d %H:%M} UTC, {journey.moments} moments on the way")
        if journey.failed:
            raise CommandError(f"Failed on the way: {', '.join(sorted(journey.failed))}")


def _moment(text: str) -> datetime:
    """A day (its first instant) or a moment; UTC unless it says otherwise. Raises ValueError."""
    found = parse_datetime(text) or datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
