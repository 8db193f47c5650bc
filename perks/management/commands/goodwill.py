"""manage.py goodwill: give one member a perk, until the console has a page for it. Without --yes it is only shown.

manage.py goodwill 4821007399 free-shipping --until 2026-12-31 --reason "parcel came late" --actor staff:3 --yes
manage.py goodwill 4821007399 concierge --until 2026-12-31 --set '{"allowance": {"uses": 2}}' --reason "…" --yes
manage.py goodwill 4821007399 --take-back 812 --actor staff:3 --yes
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from membership import calendar, clock
from membership.errors import DomainError
from membership.management import membership_by_number
from perks import goodwill, kinds, members
from perks.models import Grant, Perk

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from membership.models import Membership


class Command(BaseCommand):
    help = "Show which perk one member would be given and until when, and with --yes give it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("number", help="the member's number")
        parser.add_argument("perk", nargs="?", default="", help="the perk's code")
        parser.add_argument("--until", type=date.fromisoformat, metavar="DAY", help="the last day it counts")
        parser.add_argument("--reason", default="", help="kept with the perk")
        parser.add_argument("--set", type=json.loads, default={}, metavar="JSON", help="settings that differ")
        parser.add_argument("--take-back", type=int, metavar="GRANT", help="end one that is running")
        parser.add_argument("--actor", default="staff:console", help="who answers for it")
        parser.add_argument("--yes", action="store_true", help="do it; without this it is only shown")

    def handle(self, *, number: str, **options: Any) -> None:
        membership = membership_by_number.find(number)
        try:
            if options["take_back"]:
                self._take_back(membership, options)
            else:
                self._give(membership, options)
        except kinds.BadSettings as error:
            raise CommandError(str(error)) from None
        except DomainError as refusal:
            raise CommandError(f"{refusal} ({refusal.code})") from None

    def _give(self, membership: Membership, options: dict[str, Any]) -> None:
        perk = Perk.objects.filter(code=options["perk"]).first()
        if perk is None or options["until"] is None:
            raise CommandError("Name a perk of the catalogue, and --until which day it counts.")
        if not options["yes"]:
            self.stdout.write(f"{perk.code} until {options['until']}. Nothing is done yet. Say --yes to do it.")
            return
        grant = goodwill.give(
            membership=membership,
            perk=perk,
            until=calendar.day_start(options["until"] + timedelta(days=1), membership.time_zone),
            reason=options["reason"],
            settings=options["set"],
            at=clock.now(),
            actor=options["actor"],
        )
        self.stdout.write(f"grant {grant.pk}: {members.words(perk.kind, grant.settings)}, until {options['until']}")

    def _take_back(self, membership: Membership, options: dict[str, Any]) -> None:
        grant = Grant.objects.filter(pk=options["take_back"], membership=membership).first()
        if grant is None:
            raise CommandError("This member has no such grant.")
        if not options["yes"]:
            self.stdout.write(f"grant {grant.pk} would end now. Nothing is done yet. Say --yes to do it.")
            return
        goodwill.take_back(grant=grant, at=clock.now(), actor=options["actor"])
        self.stdout.write(f"grant {grant.pk} has ended.")
