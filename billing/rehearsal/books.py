"""The rehearsal's end: our ledger beside Stripe's, to the cent, and the members day by day."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from django.db.models import Sum

from billing import gateway
from billing.models import Payment
from membership import standing
from membership.models import Membership
from membership.standing import Standing

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True)
class Day:
    """What stood at a moment: people by standing, and the money that stayed so far, in minor units."""

    at: datetime
    current: int
    grace: int
    over: int  # lapsed or ended
    money: int


@dataclass(frozen=True)
class Ledger:
    """Sums in minor units: what was captured, and what went back."""

    payments: int
    captured: int
    returned: int


def day(at: datetime) -> Day:
    newest: dict[int, Membership] = {}
    for membership in Membership.objects.with_facts().order_by("pk"):
        newest[membership.member_id] = membership
    found = Counter(standing.at(membership, at) for membership in newest.values())
    kept = ours()
    return Day(
        at,
        current=found[Standing.CURRENT] + found[Standing.SUSPENDED],
        grace=found[Standing.GRACE],
        over=found[Standing.LAPSED] + found[Standing.ENDED],
        money=kept.captured - kept.returned,
    )


def ours() -> Ledger:
    sums = Payment.objects.aggregate(captured=Sum("captured"), returned=Sum("returned"))
    return Ledger(Payment.objects.count(), sums["captured"] or 0, sums["returned"] or 0)


def stripes() -> Ledger:
    charges = gateway.read_all(gateway.client().v1.charges.list, {})
    paid = [charge for charge in charges if charge["paid"] and charge["amount_captured"]]
    return Ledger(len(paid), sum(c["amount_captured"] for c in paid), sum(c["amount_refunded"] for c in paid))


def difference() -> dict[str, tuple[int, int]]:
    """What the two ledgers do not agree on, as (ours, Stripe's)."""
    left, right = asdict(ours()), asdict(stripes())
    return {name: (left[name], right[name]) for name in left if left[name] != right[name]}
