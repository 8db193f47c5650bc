"""manage.py demo: the whole product on one machine. `./run demo` prepares the machine and comes here."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from membership.bootstrap import data_folder, demo, running
from membership.bootstrap.visitor import Unexpected
from membership.errors import DomainError
from membership.supervisor import Program

if TYPE_CHECKING:
    from argparse import ArgumentParser

HOST = "127.0.0.1"


class Command(BaseCommand):
    help = "Prepare the demo, run it, and make its personas. Its data stays; --fresh begins anew."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--fresh", action="store_true", help="forget the last demo's data first")
        parser.add_argument("--finish", action="store_true", help="what `demo` itself runs once its web server is up")

    def handle(self, *, fresh: bool, finish: bool, **options: Any) -> None:
        try:
            if finish:
                demo.finish(self._say)
            else:
                self._run(fresh=fresh)
        except KeyboardInterrupt:
            raise SystemExit(130) from None
        except (Unexpected, DomainError) as problem:
            raise CommandError(f"The demo could not be finished: {problem}") from None

    def _run(self, *, fresh: bool) -> None:
        with data_folder.held():
            running.refuse_a_taken_port(HOST)
            if fresh:
                data_folder.empty()
            self._say(f"Preparing the demo in {settings.VIP_DATA}")
            demo.prepare()
            data_folder.collect_static()
            finisher = Program("demo", [sys.executable, *sys.argv[:1], "demo", "--finish"], once=True)
            programs = running.programs(host=HOST)
            if demo.was_finished():  # then pages are all that is waited for, and they have the machine first
                for program in programs:
                    program.after = None if program.name == "web" else finisher
            running.run([*programs, finisher], say=self._say)
            self._say("Stopped. The clock stands still until the next start.")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
