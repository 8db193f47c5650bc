"""manage.py publish_perk: let a change of the catalogue reach everyone now, until the console has a page for it.

manage.py publish_perk free-shipping gold               shows whom it would reach
manage.py publish_perk free-shipping gold --actor staff:3 --yes

A change that takes anything from anybody is refused: it reaches members when their term is renewed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from membership import clock
from membership.errors import DomainError
from membership.models import Tier
from perks import publishing
from perks.models import Perk

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    help = "Give every member of a tier a perk as it is offered now, if that only improves it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("perk", help="the perk's code")
        parser.add_argument("tier", help="the tier's code")
        parser.add_argument("--actor", default="staff:console", help="who does it, for the audit")
        parser.add_argument("--yes", action="store_true", help="do it; without this it is only shown")

    def handle(self, *args: Any, perk: str, tier: str, actor: str, yes: bool, **options: Any) -> None:
        carried, carrier = Perk.objects.filter(code=perk).first(), Tier.objects.filter(code=tier).first()
        if carried is None or carrier is None:
            raise CommandError("There is no such perk, or no such tier.")
        try:
            if yes:
                plan = publishing.for_everyone(perk=carried, tier=carrier, at=clock.now(), actor=actor)
            else:
                plan = publishing.rehearse(perk=carried, tier=carrier, at=clock.now())
        except DomainError as refusal:
            raise CommandError(f"{refusal} ({refusal.code})") from None
        self.stdout.write(f"better for {len(plan.better)}, new for {len(plan.new)}, as before for {plan.unchanged}")
        if not yes:
            self.stdout.write("Nothing is done yet. Say --yes to do it.")
