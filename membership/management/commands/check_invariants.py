"""manage.py check_invariants: is everything true that must always be? Read-only; exit code 1 and JSON on a breach.

Some checks compare with another system (Stripe): --offline leaves those out and says which; one that could not be made
because that system did not answer is told as unchecked, with exit code 2 if nothing is broken.
"""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from membership import invariants
from membership.errors import DomainError
from membership.invariants import Invariant


class Command(BaseCommand):
    help = "Check every invariant of the database and print the breaches as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ids", nargs="*", help="only these, such as I1 I16")
        parser.add_argument("--offline", action="store_true", help="leave out what must ask another system (Stripe)")

    def handle(self, *args: Any, ids: list[str], offline: bool, **options: Any) -> None:
        wanted = [i for i in invariants.all_registered() if not ids or i.id in ids]
        left_out = [i for i in wanted if offline and i.outside]
        asked = [i for i in wanted if i not in left_out]
        breaches: list[dict[str, str]] = []
        unchecked = [told for i in asked if (told := _check(i, breaches))]
        report = {
            "checked": sorted({i.id for i in asked}, key=lambda ident: int(ident[1:])),
            "left_out": [f"{i.id}: {i.sentence} (asks {i.outside})" for i in left_out],
            "unchecked": unchecked,
            "breaches": breaches,
        }
        self.stdout.write(json.dumps(report, indent=2))
        if breaches:
            raise CommandError(f"{len(breaches)} breach(es)", returncode=1)
        if unchecked:
            raise CommandError(f"{len(unchecked)} check(s) could not be made", returncode=2)


def _check(one: Invariant, breaches: list[dict[str, str]]) -> str:
    """Add its breaches. -> why it could not be checked to its end, if so."""
    try:
        breaches.extend({"invariant": one.id, "always": one.sentence, "breach": b} for b in one.check())
    except DomainError as refusal:
        if not one.outside:
            raise
        return f"{one.id}: {one.outside}: {refusal.details.get('said') or refusal}"
    return ""
