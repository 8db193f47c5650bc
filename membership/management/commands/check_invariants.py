"""manage.py check_invariants: is everything true that must always be? Read-only; exit code 1 and JSON on a breach."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from membership import invariants


class Command(BaseCommand):
    help = "Check every invariant of the database and print the breaches as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ids", nargs="*", help="only these, such as I1 I16")

    def handle(self, *args: Any, ids: list[str], **options: Any) -> None:
        wanted = [i for i in invariants.all_registered() if not ids or i.id in ids]
        breaches = [{"invariant": i.id, "always": i.sentence, "breach": breach} for i in wanted for breach in i.check()]
        checked = sorted({i.id for i in wanted}, key=lambda ident: int(ident[1:]))
        self.stdout.write(json.dumps({"checked": checked, "breaches": breaches}, indent=2))
        if breaches:
            raise CommandError(f"{len(breaches)} breach(es)", returncode=1)
