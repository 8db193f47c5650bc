"""The next charge of a membership as it will be: asked of Stripe, which knows coupons, credit and tax."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from billing import gateway
from billing.models import LIVE, Subscription

if TYPE_CHECKING:
    from datetime import datetime

    from membership.models import Membership

log = logging.getLogger("vip.billing")


@dataclass(frozen=True)
class Charge:
    """`total` with tax, less discounts; `due` is what the card is asked for once credit is used. Minor units."""

    at: datetime
    total: int
    due: int
    currency: str


def ask(membership: Membership) -> Charge | None:
    """What the membership's live subscription will charge next, and when; None if there is none.

    Raises StripeUnavailable. Where Stripe cannot foretell it, the price that was bought stands.
    """
    subscription = live(membership)
    if subscription is None or subscription.ends_by_itself or subscription.current_period_end is None:
        return None
    ends_at = subscription.current_period_end
    try:
        asked = {"subscription": subscription.stripe_id}
        told = gateway.read(gateway.client().v1.invoices.create_preview, asked)
    except gateway.StripeRefused as refusal:
        log.warning("no preview of a renewal: %s", refusal.details["code"])
        price = subscription.price
        return Charge(ends_at, price.amount, price.amount, price.currency) if price else None
    currency = told["currency"].upper()
    total, due = (gateway.from_stripe(told[name], currency) for name in ("total", "amount_due"))
    return Charge(ends_at, total, due, currency)


def live(membership: Membership) -> Subscription | None:
    """The subscription that can still charge for it."""
    found = Subscription.objects.filter(membership=membership, status__in=LIVE).select_related("price")
    return found.order_by("-pk").first()
