"""What comes next in money: the price a membership holds, and the next charge as Stripe foretells it.

A price that changes in the programme is for those who join from then on: who holds one keeps it, whatever is sold
today. Pages and letters name that price (`price`); a notice, which the law wants exact, asks Stripe (`ask`), which
knows coupons, credit and tax.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from billing import gateway
from billing.models import LIVE, InvoiceLine, PlanQuote, Subscription
from membership import standing
from membership.models import Price, Term

if TYPE_CHECKING:
    from datetime import datetime

    from membership.models import Membership, Plan

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
        held = price(membership)
        return Charge(ends_at, held.amount, held.amount, held.currency) if held else None
    currency = told["currency"].upper()
    total, due = (gateway.from_stripe(told[name], currency) for name in ("total", "amount_due"))
    return Charge(ends_at, total, due, currency)


def live(membership: Membership) -> Subscription | None:
    """The subscription that can still charge for it."""
    found = Subscription.objects.filter(membership=membership, status__in=LIVE).select_related("price")
    return found.order_by("-pk").first()


def price(membership: Membership) -> Price | None:
    """What the next renewal costs: the price its subscription holds; before there is one, what is sold today."""
    held = Subscription.objects.filter(membership=membership).exclude(price=None).select_related("price__plan__tier")
    newest = held.order_by("-pk").first()
    return newest.price if newest else _sold_today(membership.plan, membership.currency)


def price_of_held_plan(membership: Membership, *, at: datetime) -> Price | None:
    """What the plan held at `at` costs its member, also where the renewal is planned to buy another.

    The price on the subscription, else that of the upgrade or of the year that brought the plan, else today's.
    """
    plan, on_subscription = standing.plan_at(membership, at) or membership.plan, price(membership)
    if on_subscription is not None and on_subscription.plan_id == plan.pk:
        return on_subscription
    return _bought_at(membership, plan) or _sold_today(plan, membership.currency)


def _bought_at(membership: Membership, plan: Plan) -> Price | None:
    upgrade = PlanQuote.objects.filter(membership=membership, price__plan=plan, state=PlanQuote.State.DONE)
    if quote := upgrade.select_related("price__plan__tier").order_by("-pk").first():
        return quote.price
    paid = Term.objects.filter(membership=membership, plan=plan, source=Term.Source.PAID).order_by("-starts_at").first()
    line = _line_of(membership, paid) if paid else None
    asked = Price.objects.filter(plan=plan, currency=membership.currency, stripe__isnull=False)
    return asked.filter(amount=line.amount).select_related("plan__tier").first() if line else None


def _line_of(membership: Membership, term: Term) -> InvoiceLine | None:
    lines = InvoiceLine.objects.filter(invoice__membership=membership, buys_time=True)
    return next((line for line in lines if line.term_ref == term.source_ref), None)


def _sold_today(plan: Plan, currency: str) -> Price | None:
    prices = Price.objects.filter(plan=plan, currency=currency, retired_at=None)
    return prices.select_related("plan__tier").first()
