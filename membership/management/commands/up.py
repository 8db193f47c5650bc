"""manage.py up: web, worker and beat under one supervisor. `demo` is the same with a demo's contents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand

from membership.bootstrap import data_folder, running

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    help = "Run web, worker and beat, and start again whichever of them ends. The databases must be migrated."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        everywhere = "0.0.0.0" if settings.PRODUCTION else "127.0.0.1"  # noqa: S104  # behind a proxy
        parser.add_argument("--host", default=everywhere, help="address to listen on (default: %(default)s)")
        parser.add_argument("--only", choices=("web", "worker", "beat"), help="one of them, where each has its machine")

    def handle(self, *, host: str, only: str | None, **options: Any) -> None:
        with data_folder.held(only or "all"):
            if only in (None, "web"):
                running.refuse_a_taken_port(host)
                data_folder.collect_static()
            running.run(running.programs(host=host, only=only), say=self._say)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
