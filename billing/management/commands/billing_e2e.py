"""manage.py billing_e2e setup|link|teardown: what scenarios of billing-e2e (PyPI) ask of the application.

Such a scenario subscribes through Stripe's API, where a member would have paid at Checkout: `setup` makes its customer
a member, `link` does for its subscription what our checkout does before and after paying, `teardown` ends it. The run
is named by BILLING_E2E_RUN, BILLING_E2E_CUSTOMER, BILLING_E2E_CUSTOMER_EMAIL and BILLING_E2E_SUBSCRIPTION.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from billing import customers, gateway, sync
from billing.models import LIVE, StripePrice, Subscription
from membership import clock, lifecycle, signup
from membership.errors import DomainError
from membership.models import Member, Membership, User
from perks import lookup
from perks.models import Shop

if TYPE_CHECKING:
    from argparse import ArgumentParser

ACTOR = "system"


class Command(BaseCommand):
    help = "The hooks of billing-e2e's scenarios; see tests/billing_e2e."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("hook", choices=("setup", "link", "teardown"))

    def handle(self, *, hook: str, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("Scenarios are not played in production.")
        try:
            {"setup": setup, "link": link, "teardown": teardown}[hook]()
        except DomainError as refusal:
            raise CommandError(str(refusal.details.get("said") or refusal)) from refusal


def setup() -> None:
    """The scenario's customer is a member from now on. Every shop here may ask for them by the run's name."""
    user = User.objects.create_user(_given("CUSTOMER_EMAIL"))
    member = signup.create_member(user=user, name=f"Scenario {_given('RUN')}", at=clock.now())
    customers.adopt(member, _given("CUSTOMER"))
    for shop in Shop.objects.all():
        lookup.tie(shop=shop.pk, customer_ref=_given("RUN"), number=member.number)


def link() -> None:
    """Reserve the member's place for what was subscribed to, and read the subscription as after any payment."""
    found = gateway.read(gateway.client().v1.subscriptions.retrieve, _given("SUBSCRIPTION"))
    bought = found["items"]["data"][0]["price"]["id"]
    price = StripePrice.objects.select_related("price__plan").get(stripe_id=bought).price
    lifecycle.reserve(member=_member(), plan=price.plan, currency=price.currency, at=clock.now(), actor=ACTOR)
    sync.subscription(found["id"])


def teardown() -> None:
    """The scenario is over: nothing of it is charged or granted any more."""
    for subscription in Subscription.objects.filter(membership__member=_member(), status__in=LIVE):
        gateway.call(gateway.client().v1.subscriptions.cancel, subscription.stripe_id)
        sync.subscription(subscription.stripe_id)
    for membership in Membership.objects.open().filter(member=_member()):
        reason = Membership.EndReason.STAFF
        lifecycle.end(membership=membership, reason=reason, at=clock.now(), actor=ACTOR)


def _member() -> Member:
    return Member.objects.get(user__email=_given("CUSTOMER_EMAIL"))


def _given(name: str) -> str:
    value = os.environ.get(f"BILLING_E2E_{name}", "")
    if not value:
        raise CommandError(f"BILLING_E2E_{name} is not set: this is a hook of billing-e2e.")
    return value
