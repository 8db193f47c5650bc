"""Another price for a plan: made at Stripe first, then put on sale here in one transaction.

So nobody is ever shown a price that Stripe cannot charge. What is lost in between is a price at Stripe that nobody is
sold: it is found again by its lookup key, which names plan, currency and amount. A pay page that is open keeps the
price it was opened with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from billing import gateway, setup
from billing.models import LIVE, CheckoutSession, StripePrice, Subscription
from membership import pricing
from membership.models import Price

if TYPE_CHECKING:
    from datetime import datetime

    from membership.models import Plan


def change(*, plan: Plan, currency: str, amount: int, was: Price | None, at: datetime, actor: str) -> Price:
    """Sell `plan` for `amount` (minor units) from `at` on. -> the price that is on sale.

    Raises pricing.SamePrice, pricing.Overtaken, StripeUnavailable, StripeRefused; then nothing has changed here.
    """
    wanted = Price(plan=plan, currency=currency, amount=amount)
    if was and was.amount == amount:
        raise pricing.SamePrice
    made = setup.stripe_price(gateway.client(), wanted)
    with transaction.atomic():
        price = pricing.change(plan=plan, currency=currency, amount=amount, was=was, at=at, actor=actor)
        StripePrice.objects.update_or_create(
            price=price, defaults={"stripe_id": made["id"], "lookup_key": setup.lookup_key(wanted)}
        )
    return price


def held_by(price: Price) -> int:
    """How many renew at this price, and go on doing so."""
    return Subscription.objects.filter(price=price, status__in=LIVE).count()


def held(plan: Plan) -> int:
    """How many renew this plan, at whatever price."""
    return Subscription.objects.filter(price__plan=plan, status__in=LIVE).count()


def open_pages(price: Price) -> int:
    """How many may be paying it this moment."""
    return CheckoutSession.objects.filter(price=price, state=CheckoutSession.State.OPEN).count()
