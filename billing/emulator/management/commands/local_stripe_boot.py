"""Point the local Stripe's webhook endpoint at this installation; run when a demo starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import stripe
from django.core.management.base import BaseCommand

from billing.emulator import account, endpoints
from billing.emulator.client import InProcessClient

if TYPE_CHECKING:
    from argparse import ArgumentParser


def _offer(code: str, percent: str) -> None:
    """A code that customers may type, made once."""
    client = stripe.StripeClient("sk_test_local", http_client=InProcessClient()).v1
    if not client.promotion_codes.list({"code": code, "active": True}).data:
        coupon = client.coupons.create({"percent_off": float(percent), "duration": "once", "name": f"{percent} % off"})
        client.promotion_codes.create({"code": code, "promotion": {"type": "coupon", "coupon": coupon.id}})


class Command(BaseCommand):
    help = "Create or update the webhook endpoint (its id is kept), so that its URL and secret match this start."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--url", required=True, help="where events are POSTed to")
        parser.add_argument("--secret", required=True, help="whsec_..., what they are signed with")
        parser.add_argument(
            "--code", help="a promotion code to try, as in LAUREL10=10: ten percent off the first payment"
        )
        parser.add_argument("--event", action="append", dest="events", help="an event type; default: all")

    def handle(self, *args: Any, **options: Any) -> None:
        account.the_account()
        webhook = endpoints.set_webhook_endpoint(
            url=options["url"], secret=options["secret"], events=options["events"] or ["*"]
        )
        if options["code"]:
            _offer(*options["code"].split("="))
        self.stdout.write(f"{webhook.stripe_id} -> {webhook.data['url']}")
