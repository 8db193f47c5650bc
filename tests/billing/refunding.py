"""Refunds asked for by the member and by staff, and what Stripe has of them."""

from __future__ import annotations

from billing import gateway, refund_quotes, refunds
from billing.models import Subscription
from billing.refund_policy import Basis
from membership.models import Membership


def own() -> Membership:
    return Membership.objects.with_facts().latest("pk")


def at_stripe() -> list[tuple[int, str]]:
    made = gateway.client().v1.refunds.list({"limit": 100}).data
    return [(refund.amount, refund.status) for refund in made]


def subscription_at_stripe() -> str:
    return str(gateway.client().v1.subscriptions.retrieve(Subscription.objects.get().stripe_id).status)


def change_mind(clock) -> str:
    """The member's withdrawal, as the confirm page makes it."""
    quote = refund_quotes.offers(membership=own(), at=clock.now)
    return refunds.ask(membership=own(), quote=quote, effect="end_now", at=clock.now, actor="member:1")


def give(clock, amount: int, **fields) -> str:
    """Staff's goodwill."""
    quote = refund_quotes.quote(membership=own(), basis=Basis.GOODWILL, amount=amount, at=clock.now)
    asked = {"effect": "money_only", "reason": "late answer", "actor": "staff:1"} | fields
    return refunds.ask(membership=own(), quote=quote, at=clock.now, **asked)
