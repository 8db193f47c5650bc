"""manage.py audit: is the audit as it was sealed? Prints the newest seal; exit code 1 and a line each where it is not.

--known NUMBER:DIGEST, as the worker's log told it, holds the chain to a seal that was noted elsewhere: without that, a
chain made anew from end to end by somebody who may write into the database would look as good as the old one.
"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from membership import seals
from membership.models import AuditEntry, AuditSeal


class Command(BaseCommand):
    help = "Verify the seals on the audit."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--known", metavar="NUMBER:DIGEST", action="append", default=[], help="a seal from the log")

    def handle(self, *args: Any, known: list[str], **options: Any) -> None:
        wrong = [*seals.breaches(), *(line for one in known if (line := _not_there(one)))]
        for line in wrong:
            self.stdout.write(line)
        if wrong:
            raise CommandError(f"{len(wrong)} breach(es)", returncode=1)
        last = AuditSeal.objects.last()
        rows = AuditEntry.objects.count()
        self.stdout.write(f"{rows} rows, {AuditSeal.objects.count()} seals, all as they were sealed.")
        if last is not None:
            waiting = AuditEntry.objects.filter(pk__gt=last.upto).count()
            self.stdout.write(f"The newest: {last.pk}:{last.digest}; {waiting} rows wait for the next.")


def _not_there(told: str) -> str:
    number, _, digest = told.partition(":")
    if not number.isdecimal() or len(digest) != 64:
        raise CommandError("--known takes a seal as the log tells it: its number, a colon, and 64 letters and digits.")
    there = AuditSeal.objects.filter(pk=int(number), digest=digest).exists()
    return "" if there else f"seal {number} is not the one that was told: the chain was made anew, or cut"
