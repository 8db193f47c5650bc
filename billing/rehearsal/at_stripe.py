"""What Stripe's lists say of every subscription that was ever paid: when each period that it paid for ended, and what
became of it. Read without our mirrors, for comparing reports with it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from billing import gateway
from membership import calendar, clock

CHARGING = ("active", "trialing", "past_due", "unpaid")
BUYS_TIME = ("subscription_create", "subscription_cycle")
BUYS_A_TIER = (*BUYS_TIME, "subscription_update")
CONTESTED = ("needs_response", "under_review")


class Became(Enum):
    RENEWED = "renewed"
    AWAITED = "awaited"
    UNPAID = "not paid"
    LEAVING = "leaving"


@dataclass(frozen=True)
class Period:
    """A period that was paid for, or given after one that was: [starts_at, ends_at)."""

    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class Life:
    """A subscription whose first invoice was paid. `periods`: oldest first, each beginning where the last one ended.

    `given`: that free days put off the end of the period before, which therefore was no end. `product`: what the newest
    payment is for. `contested`: a bank has yet to decide about one of its payments.
    """

    customer: str
    currency: str
    product: str
    contested: bool
    joined_at: datetime
    periods: tuple[Period, ...]
    given: frozenset[datetime]
    charging: bool
    paused: bool
    canceled_at: datetime | None
    ended_at: datetime | None
    next_charge: int  # minor units; 0 where none is to come

    def endings(self) -> list[tuple[datetime, Became]]:
        """When what was paid for ended, or will, and what became of it."""
        followed = [(one.ends_at, Became.RENEWED) for one, _next in pairwise(self.periods)]
        return [one for one in followed if one[0] not in self.given] + [(self.periods[-1].ends_at, self._last())]

    @property
    def last_day_ends(self) -> datetime:
        """The midnight, at home, that ends the last day of what was paid for."""
        return calendar.midnight_after(self.periods[-1].ends_at, settings.VIP_HOME_ZONE)

    def left_at(self, at: datetime) -> datetime | None:
        """The end of the last day they had; None while they stay, or may yet pay."""
        if self.ended_at is None:
            return None
        if self.ended_at < self.periods[-1].ends_at:  # given their money back, or lost to a bank
            return self.ended_at
        return self.last_day_ends if self.last_day_ends <= at else None

    def standing(self, at: datetime, grace: timedelta) -> str:
        """Where they stand, as a shop would be told; "": nowhere any more. Days of grace are those of the home."""
        if self.left_at(at) is not None:
            return ""
        if self.contested or self.paused:
            return "suspended"
        if at < self.last_day_ends:
            return "current"
        local = self.last_day_ends.astimezone(ZoneInfo(settings.VIP_HOME_ZONE))  # so that days are added, not hours
        return "grace" if self.charging and at < local + grace else ""

    def period(self, at: datetime) -> Period:
        """The newest that has begun."""
        return max((one for one in self.periods if one.starts_at <= at), key=lambda one: one.starts_at)

    def _last(self) -> Became:
        if self.charging:
            return Became.AWAITED
        asked = self.canceled_at is not None and self.canceled_at <= self.periods[-1].ends_at
        return Became.LEAVING if asked else Became.UNPAID


def lives() -> list[Life]:
    """All of them. Raises StripeUnavailable."""
    stripe = gateway.client().v1
    paid = defaultdict[str, list[dict[str, Any]]](list)
    for invoice in gateway.read_all(stripe.invoices.list, {"expand": ["data.payments"]}):
        if invoice["billing_reason"] in BUYS_A_TIER and invoice["status"] == "paid":
            paid[invoice["parent"]["subscription_details"]["subscription"]].append(invoice)
    disputes = gateway.read_all(stripe.disputes.list, {})
    contested = {one["payment_intent"] for one in disputes if one["status"] in CONTESTED}
    found = gateway.read_all(stripe.subscriptions.list, {"status": "all"})
    return [_life(one, paid[one["id"]], contested) for one in found if paid[one["id"]]]


def _life(subscription: dict[str, Any], paid: list[dict[str, Any]], contested: set[str]) -> Life:
    paid = sorted(paid, key=lambda invoice: int(invoice["created"]))
    bought = [line for invoice in paid for line in invoice["lines"]["data"] if line["amount"] > 0]
    intents = {one["payment"]["payment_intent"] for invoice in paid for one in invoice["payments"]["data"]}
    spans = [i["lines"]["data"][-1]["period"] for i in paid if i["billing_reason"] in BUYS_TIME]
    periods, given = [], set()
    for span in spans:
        one = Period(clock.at(span["start"]), clock.at(span["end"]))
        periods.append(one)
        if free := _free_days(subscription, one):
            given.add(one.ends_at)
            periods.append(free)
    ends = subscription["cancel_at_period_end"] or subscription["cancel_at"] is not None
    charging = subscription["status"] in CHARGING and not ends
    return Life(
        customer=subscription["customer"],
        currency=subscription["currency"].upper(),
        product=bought[-1]["pricing"]["price_details"]["product"],
        contested=bool(intents & contested),
        joined_at=clock.at(paid[0]["status_transitions"]["paid_at"]),
        periods=tuple(periods),
        given=frozenset(given),
        charging=charging,
        paused=subscription["pause_collection"] is not None,
        canceled_at=gateway.moment_or_none(subscription["canceled_at"]),
        ended_at=gateway.moment_or_none(subscription["ended_at"]),
        next_charge=_next_charge(subscription["id"]) if charging else 0,
    )


def _free_days(subscription: dict[str, Any], paid: Period) -> Period | None:
    """Free days are a trial that begins inside a period and ends after it."""
    began, ends = (gateway.moment_or_none(subscription[name]) for name in ("trial_start", "trial_end"))
    inside = began and ends and paid.starts_at <= began < paid.ends_at < ends
    return Period(paid.ends_at, ends) if inside and ends else None


def _next_charge(subscription: str) -> int:
    """What is asked for now, else what will be."""
    stripe = gateway.client().v1
    for status in ("open", "draft"):
        if waiting := gateway.read_all(stripe.invoices.list, {"subscription": subscription, "status": status}):
            return int(waiting[-1]["total"])
    return int(gateway.read(stripe.invoices.create_preview, {"subscription": subscription})["total"])
