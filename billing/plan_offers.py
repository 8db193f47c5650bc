"""Which plans a member could hold instead of theirs, and whether a change can be made at this moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_noop

from billing.models import Subscription
from membership import standing
from membership.errors import DomainError
from membership.models import Membership, Plan, Price
from membership.standing import Standing

if TYPE_CHECKING:
    from datetime import datetime


class NoChangeNow(DomainError):
    """The membership's plan cannot be changed at this moment."""

    code = "plan_change_not_possible"
    message = gettext_noop("Your plan cannot be changed right now: a payment is under way or awaited.")


@dataclass(frozen=True)
class Option:
    """A plan that could be held instead. `upgrade`: at once, for its price; else from the next renewal."""

    plan: Plan
    price: Price
    upgrade: bool


def changeable(membership: Membership, at: datetime) -> Subscription:
    """The subscription whose price can be changed. Raises NoChangeNow outside a paid, running term."""
    subscription = Subscription.objects.filter(membership=membership, status__in=["active", "trialing"]).first()
    last = max((term.ends_at for term in membership.terms.all()), default=None)
    current = standing.at(membership, at) == Standing.CURRENT
    if subscription is None or last is None or not current or at >= last or not membership.plan.renews:
        raise NoChangeNow
    return subscription


def free_until(membership: Membership, at: datetime) -> datetime | None:
    """Until when free days keep a better plan waiting. None: it can be held at once. Raises NoChangeNow.

    Free days are a trial to Stripe, which prorates nothing while one runs; so the difference could not be charged
    exactly, and whatever is chosen begins with the next payment.
    """
    subscription = changeable(membership, at)
    return subscription.current_period_end if subscription.status == "trialing" else None


def options(*, membership: Membership, at: datetime) -> list[Option]:
    """The other plans of the same interval in the membership's currency, lowest first. Raises NoChangeNow."""
    subscription = changeable(membership, at)
    held = held_plan(membership, at)
    prices = Price.objects.filter(
        plan__published=True,
        plan__interval=held.interval,
        currency=membership.currency,
        retired_at=None,
        stripe__isnull=False,
    ).select_related("plan__tier")
    paid = subscription.status == "active"
    return [
        Option(price.plan, price, upgrade=paid and price.plan.tier.rank > held.tier.rank)
        for price in prices.order_by("plan__tier__rank", "plan__code")
        if price.plan.tier_id != held.tier_id
    ]


def option(*, membership: Membership, plan_code: str, at: datetime) -> Option:
    """One of them. Raises NoChangeNow for any other plan."""
    found = [one for one in options(membership=membership, at=at) if one.plan.code == plan_code]
    if not found:
        raise NoChangeNow
    return found[0]


def held_plan(membership: Membership, at: datetime) -> Plan:
    return standing.plan_at(membership, at) or membership.plan
