"""Point the local Stripe's webhook endpoint at this installation; run when a demo starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand

from billing.emulator import account, endpoints

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    help = "Create or update the webhook endpoint (its id is kept), so that its URL and secret match this start."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--url", required=True, help="where events are POSTed to")
        parser.add_argument("--secret", required=True, help="whsec_..., what they are signed with")
        parser.add_argument("--event", action="append", dest="events", help="an event type; default: all")

    def handle(self, *args: Any, **options: Any) -> None:
        account.the_account()
        webhook = endpoints.set_webhook_endpoint(
            url=options["url"], secret=options["secret"], events=options["events"] or ["*"]
        )
        self.stdout.write(f"{webhook.stripe_id} -> {webhook.data['url']}")
