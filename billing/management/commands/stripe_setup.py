"""manage.py stripe_setup: prepare the Stripe account that the environment names."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing import gateway, setup
from membership.errors import DomainError


class Command(BaseCommand):
    help = "Make products, prices, webhook endpoint and portal configuration at Stripe where they are missing."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with gateway.patient():
                for line in setup.prepare(gateway.client()):
                    self.stdout.write(line)
        except DomainError as refusal:
            raise CommandError(str(refusal.details.get("said") or refusal)) from refusal
