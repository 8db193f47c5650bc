"""manage.py reconcile: compare what Stripe's lists say with what we keep, now, and mend what differs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from billing import gateway, reconcile
from billing.models import ReconcileRun
from membership import clock
from membership.errors import DomainError

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    help = (
        "Walk Stripe's lists and mend what differs here; prints a report as JSON. An unfinished run is gone on with. "
        "Exit code 1: something needs a person, or failed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--since", type=_moment, help="only what was made since this day, and a while before")

    def handle(self, *, since: datetime | None, **options: Any) -> None:
        run = ReconcileRun.objects.filter(finished_at=None).order_by("pk").first()
        if run is None or since is not None:
            run = reconcile.begin(since=since, at=clock.now())
        try:
            with gateway.patient():
                finished = reconcile.go_on(run)
        except DomainError as refusal:
            raise CommandError(f"{refusal} The run goes on where it stopped.", returncode=2) from refusal
        if not finished:
            raise CommandError("Another process is at this run.", returncode=2)
        told = reconcile.report(run)
        self.stdout.write(json.dumps(told, indent=2))
        if told["raised"]["count"] or told["failed"]["count"]:
            raise CommandError("Something needs a person.", returncode=1)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
