"""The rehearsal's end: our ledger beside Stripe's, charge by charge and to the cent, and the members day by day."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from billing import gateway
from billing.models import Payment
from membership import standing
from membership.models import Membership
from membership.standing import Standing

if TYPE_CHECKING:
    from datetime import datetime

GIVEN_BACK = ("pending", "requires_action", "succeeded")  # a refund that failed or was canceled is none
HELD_OR_LOST = ("needs_response", "under_review", "lost")  # an inquiry takes nothing


@dataclass(frozen=True)
class Day:
    """What stood at a moment: people by standing, and what of the money was still ours, in minor units."""

    at: datetime
    current: int
    grace: int
    over: int  # lapsed or ended
    money: int


@dataclass(frozen=True)
class Money:
    """One charge, or all: what was taken, given back, and is contested or lost at the bank, in minor units."""

    taken: int = 0
    returned: int = 0
    disputed: int = 0

    def __add__(self, other: Money) -> Money:
        return Money(self.taken + other.taken, self.returned + other.returned, self.disputed + other.disputed)

    @property
    def kept(self) -> int:
        return self.taken - self.returned - self.disputed


Ledger = Mapping[str, Money]  # by Stripe's id of the charge


def day(at: datetime) -> Day:
    newest: dict[int, Membership] = {}
    for membership in Membership.objects.with_facts().order_by("pk"):
        newest[membership.member_id] = membership
    found = Counter(standing.at(membership, at) for membership in newest.values())
    return Day(
        at,
        current=found[Standing.CURRENT] + found[Standing.SUSPENDED],
        grace=found[Standing.GRACE],
        over=found[Standing.LAPSED] + found[Standing.ENDED],
        money=total(ours()).kept,
    )


def ours() -> Ledger:
    return {p.stripe_id: Money(p.captured, p.returned, p.disputed) for p in Payment.objects.all()}


def stripes() -> Ledger:
    """From Stripe's lists alone: what was charged, what was sent back, and what a bank took or may take."""
    stripe = gateway.client().v1
    returned, disputed = defaultdict[str, int](int), defaultdict[str, int](int)
    for refund in gateway.read_all(stripe.refunds.list, {}):
        returned[refund["charge"]] += refund["amount"] if refund["status"] in GIVEN_BACK else 0
    for dispute in gateway.read_all(stripe.disputes.list, {}):
        disputed[dispute["charge"]] += dispute["amount"] if dispute["status"] in HELD_OR_LOST else 0
    return {
        charge["id"]: Money(charge["amount_captured"], returned[charge["id"]], disputed[charge["id"]])
        for charge in gateway.read_all(stripe.charges.list, {})
        if charge["paid"] and charge["amount_captured"]
    }


def total(ledger: Ledger) -> Money:
    return sum(ledger.values(), Money())


def differences(left: Ledger, right: Ledger) -> list[str]:
    """Each charge on which our ledger and Stripe's do not agree, as a line to read."""
    return [
        f"{charge}: {left.get(charge, 'unknown')} here, {right.get(charge, 'unknown')} at Stripe"
        for charge in sorted({*left, *right})
        if left.get(charge) != right.get(charge)
    ]
