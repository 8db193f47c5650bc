"""Money in figures, for reports: what came and went by month, what renews, who pays and hardly uses.

Minor units; currencies are never added up together. Questions to the mirrors (models/) and to perks' value ledger.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from django.db.models import Count, Exists, F, IntegerField, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce, TruncMonth

from billing.models import STANDING, Dispute, OfflinePayment, Payment, Refund, Subscription
from membership.models import Membership, Status, Term
from perks.models import Redemption

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from django.db.models import QuerySet

    from membership.months import Month

LOST = "lost"  # docs.stripe.com/api/disputes/object: the bank found for its customer
RENEWS_WITHIN = timedelta(days=60)
MOST_AT_RISK = 200


class Flow(NamedTuple):
    """One month in one currency. `net` is what the shop keeps of it, before Stripe's fees."""

    month: str
    currency: str
    paid: int
    returned: int
    lost: int

    @property
    def net(self) -> int:
        return self.paid - self.returned - self.lost


def flows(months: Sequence[Month]) -> list[Flow]:
    """By month and currency, oldest first, where anything moved.

    Paid when its invoice was, returned when it was decided (a refund that failed is none), lost when the bank decided.
    """
    sums = [
        _sums(Payment.objects.all(), "captured", "paid_at", months),
        _sums(Refund.objects.filter(state__in=STANDING), "amount", "decided_at", months),
        _sums(Dispute.objects.filter(status=LOST), "amount", "closed_at", months),
    ]
    currencies = sorted(set().union(*sums))
    told = [
        Flow(str(month), currency, *(one[currency].get(month.key) or 0 for one in sums))
        for month in months
        for currency in currencies
    ]
    return [flow for flow in told if any(flow[2:])]


class Offline(NamedTuple):
    """What came offline in one month and currency."""

    month: str
    currency: str
    payments: int
    amount: int


def offline(months: Sequence[Month]) -> list[Offline]:
    """By month of the day paid and by currency, oldest first."""
    rows = OfflinePayment.objects.filter(paid_on__gte=months[0].first_day)
    by_month = rows.annotate(month=TruncMonth("paid_on")).order_by("month", "currency").values("month", "currency")
    found = by_month.annotate(payments=Count("pk"), total=Sum("amount"))
    return [Offline(f"{one['month']:%Y-%m}", one["currency"], one["payments"], one["total"]) for one in found]


def _sums(
    rows: QuerySet[Payment] | QuerySet[Refund] | QuerySet[Dispute], amount: str, moment: str, months: Sequence[Month]
) -> defaultdict[str, dict[str, int]]:
    """Currency -> month's key -> sum."""
    within = {f"{moment}__gte": months[0].starts_at, f"{moment}__lt": months[-1].ends_at}
    by_month = {
        m.key: Sum(amount, filter=Q(**{f"{moment}__gte": m.starts_at, f"{moment}__lt": m.ends_at})) for m in months
    }
    found: defaultdict[str, dict[str, int]] = defaultdict(dict)
    summed = rows.filter(**within).order_by().values("currency").annotate(**by_month)
    for currency, *sums in summed.values_list("currency", *by_month):
        found[currency] = dict(zip(by_month, sums, strict=True))
    return found


class Renewals(NamedTuple):
    """The terms that end in [starts_at, ends_at), in one currency. They add up: `ending` is the sum of the other four.

    `expected`: what the awaited ones will be charged, at the price that each holds.
    """

    starts_at: datetime
    ends_at: datetime
    currency: str
    ending: int
    renewed: int
    awaited: int
    unpaid: int
    leaving: int
    expected: int


def renewals(starts_at: datetime, ends_at: datetime) -> list[Renewals]:
    """What becomes, or became, of the terms that end in a span of time, by currency.

    Where days were given free, their last one is the end: nobody renewed before.
    """
    later = Term.objects.filter(membership=OuterRef("membership"), starts_at__gte=OuterRef("ends_at"))
    given = later.filter(starts_at=OuterRef("ends_at"), source=Term.Source.COMPLIMENTARY)
    ending = Term.objects.filter(~Exists(given), ends_at__gte=starts_at, ends_at__lt=ends_at)
    ending = ending.annotate(followed=Exists(later))
    awaited = Q(followed=False, membership__ended_at=None, membership__renewal_expected=True)
    stayed_to_the_end = Q(membership__canceled_at=None) | Q(membership__canceled_at__gt=F("ends_at"))
    unpaid = Q(followed=False, membership__cut_at=None) & stayed_to_the_end & ~awaited
    counted = {
        "ending": Count("pk"),
        "renewed": Count("pk", filter=Q(followed=True)),
        "waits": Count("pk", filter=awaited),
        "not_paid": Count("pk", filter=unpaid),
        "sum": Sum(_held_price("membership"), filter=awaited),
    }
    of_currency = ending.order_by("membership__currency").values("membership__currency").annotate(**counted)
    told = []
    for currency, all_, renewed, waits, unpaid_, expected in of_currency.values_list("membership__currency", *counted):
        leaving = all_ - renewed - waits - unpaid_
        told.append(Renewals(starts_at, ends_at, currency, all_, renewed, waits, unpaid_, leaving, expected or 0))
    return told


def _held_price(membership: str) -> Subquery:
    """next_charge.price, for a query: the price on the newest subscription."""
    held = Subscription.objects.filter(membership=OuterRef(membership)).exclude(price=None).order_by("-pk")
    return Subquery(held.values("price__amount")[:1], output_field=IntegerField())


@dataclass(frozen=True)
class AtRisk:
    """Pays `fee` at `renews_at`, and has had `worth` of the term that runs."""

    membership: Membership
    renews_at: datetime
    fee: int
    worth: int
    currency: str


def at_risk(at: datetime) -> list[AtRisk]:
    """Who renews within sixty days and has had less of the term than they will pay, the next to renew first."""
    began = Term.objects.filter(membership=OuterRef("pk"), starts_at__lte=at).order_by("-starts_at")
    used = Redemption.objects.filter(
        grant__membership=OuterRef("pk"),
        status=Redemption.Status.COMMITTED,
        currency=OuterRef("currency"),
        committed_at__gte=OuterRef("began"),
    )
    worth = (
        used.order_by().values("grant__membership").annotate(sum=Sum(F("worth") - F("returned_worth"))).values("sum")
    )
    found = (
        Membership.objects.filter(ended_at=None, renewal_expected=True, status=Status.ACTIVE)
        .filter(entitled_until__gt=at, entitled_until__lte=at + RENEWS_WITHIN)
        .annotate(began=Subquery(began.values("starts_at")[:1]), fee=_held_price("pk"))
        .annotate(worth=Coalesce(Subquery(worth, output_field=IntegerField()), 0))
        .filter(worth__lt=F("fee"))
        .select_related("member")
        .order_by("entitled_until", "pk")[:MOST_AT_RISK]
    )
    return [AtRisk(one, one.entitled_until, one.fee, one.worth, one.currency) for one in found]  # type: ignore[attr-defined, arg-type]
