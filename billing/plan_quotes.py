"""Quotes: what a better plan would cost from this second on, as Stripe's own preview says it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from billing import gateway, plan_offers
from billing.models import PlanQuote, StripePrice

if TYPE_CHECKING:
    from datetime import datetime

    from billing.models import Subscription
    from membership.models import Membership, Price

LIFE = timedelta(minutes=10)


@dataclass(frozen=True)
class Answer:
    """What Stripe says a change would cost. `facts` is all of it that a confirmation depends on."""

    due: int
    balance_used: int
    lines: list[dict[str, Any]]
    renews_at: datetime | None
    renewal: int
    facts: dict[str, Any]


def offer(*, membership: Membership, price: Price, at: datetime) -> PlanQuote:
    """What holding this price's plan from now on would cost, to be confirmed within ten minutes.

    Raises NoChangeNow, StripeUnavailable, StripeRefused.
    """
    subscription, second = plan_offers.changeable(membership, at), at.replace(microsecond=0)
    answer = ask(subscription, price, second)
    return PlanQuote.objects.create(
        membership=membership,
        subscription=subscription,
        from_plan=plan_offers.held_plan(membership, at),
        price=price,
        proration_at=second,
        due=answer.due,
        balance_used=answer.balance_used,
        lines=answer.lines,
        renews_at=answer.renews_at,
        renewal=answer.renewal,
        facts=answer.facts,
        made_at=at,
        expires_at=at + LIFE,
    )


def ask(subscription: Subscription, price: Price, second: datetime) -> Answer:
    stripe, wanted = gateway.client().v1, StripePrice.objects.get(price=price).stripe_id
    read = gateway.read(stripe.subscriptions.retrieve, subscription.stripe_id)
    item = read["items"]["data"][0]
    items = [{"id": item["id"], "price": wanted}]
    now = _preview(
        subscription, {"items": items, "proration_behavior": "always_invoice", "proration_date": seconds(second)}
    )
    ends = bool(read["cancel_at_period_end"] or read["cancel_at"])
    later = None if ends else _preview(subscription, {"items": items, "proration_behavior": "none"})
    currency = price.currency
    due, total = (gateway.from_stripe(now[field], currency) for field in ("amount_due", "total"))
    lines = [_line(line, currency) for line in now["lines"]["data"]]
    renewal = gateway.from_stripe(later["total"], currency) if later else 0
    facts = {
        "item": item["id"],
        "price": item["price"]["id"],
        "wanted": wanted,
        "status": read["status"],
        "period_end": item["current_period_end"],
        "ends": ends,
        "due": due,
        "total": total,
        "lines": lines,
        "renewal": renewal,
    }
    renews_at = None if ends else gateway.moment(item["current_period_end"])
    return Answer(due, total - due, lines, renews_at, renewal, facts)


def _preview(subscription: Subscription, details: dict[str, Any]) -> dict[str, Any]:
    params = {"subscription": subscription.stripe_id, "subscription_details": details}
    return gateway.read(gateway.client().v1.invoices.create_preview, params)


def _line(line: dict[str, Any], currency: str) -> dict[str, Any]:
    of_price = ((line.get("pricing") or {}).get("price_details") or {}).get("price")
    known = StripePrice.objects.filter(stripe_id=of_price).select_related("price__plan").first()
    return {"plan": known.price.plan.code if known else "", "amount": gateway.from_stripe(line["amount"], currency)}


def seconds(moment: datetime) -> int:
    return int(moment.timestamp())
