"""manage.py declarations: cancellations and withdrawals that wait for a person, until the console has their queue.

manage.py declarations
manage.py declarations 1A2B3C4D --assign 4821007399 --reason "named her order" --actor staff:3
manage.py declarations 1A2B3C4D --close --reason "answered by mail: no membership of ours" --actor staff:3
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from billing import declarations, gateway
from billing.models import Declaration
from membership import clock, numbers
from membership.errors import DomainError
from membership.models import Member

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    help = "List the declarations that wait for a person, say whose one is, or close it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("reference", nargs="?", default="", help="as its receipt says it")
        verbs = parser.add_mutually_exclusive_group()
        verbs.add_argument("--assign", metavar="NUMBER", help="it is this member's: carry it out")
        verbs.add_argument("--close", action="store_true", help="it is dealt with")
        parser.add_argument("--reason", default="", help="kept in the audit")
        parser.add_argument("--actor", default="staff:console", help="who does it, for the audit")

    def handle(self, *, reference: str, **options: Any) -> None:
        if not reference:
            self.stdout.write("\n\n".join(map(_shown, declarations.for_staff())) or "Nothing waits.")
            return
        row = declarations.for_staff().filter(token__startswith=reference.lower()).first()
        if row is None:
            raise CommandError("No declaration with this reference waits.")
        if options["close"] or options["assign"]:
            try:
                self._act(row, options)
            except DomainError as refusal:
                raise CommandError(str(refusal)) from None
            row.refresh_from_db()
        self.stdout.write(_shown(row))

    def _act(self, row: Declaration, options: dict[str, Any]) -> None:
        if not options["reason"].strip():
            raise CommandError("Say --reason: it is kept in the audit.")
        act = {"actor": options["actor"], "reason": options["reason"], "at": clock.now()}
        if options["close"]:
            declarations.close(row, **act)
            return
        member = Member.objects.filter(number=numbers.normalize(options["assign"])).first()
        if member is None:
            raise CommandError("No member has this number.")
        declarations.assign(row, member=member, **act)
        with gateway.patient():
            declarations.carry_out(row.pk, at=clock.now())


def _shown(row: Declaration) -> str:
    state = f"closed: {row.outcome} {row.note}" if row.done_at else row.parked_reason or row.last_error or "under way"
    wanted = f", to end on {row.wanted_on}" if row.wanted_on else ""
    lines = [
        f"{row.reference}  {row.kind}{' for cause' if row.for_cause else ''}{wanted}",
        f"  arrived {row.arrived_at:%Y-%m-%d %H:%M} UTC from {row.name} <{row.email}> {row.number}".rstrip(),
        f"  answer to {row.contact}",
        f"  {state.rstrip()}" + (f" ({row.outcome})" if row.outcome and not row.done_at else ""),
    ]
    return "\n".join([*lines, *([f"  reason: {row.reason}"] if row.reason else [])])
