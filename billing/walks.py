"""The lists that reconcile walks: Stripe's, then two of ours that should have been met there.

A walk says how its pages are fetched, what differs on one, how an object is mended, and how it is read anew.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from billing import customers, differences, gateway, hints, nets, sync
from billing.differences import Differences, Row
from billing.models import LIVE, ReconcileRun, Subscription
from membership import lifecycle, work
from membership.models import Membership, Status

PAGE = 100
HALF_A_YEAR = timedelta(days=183)


@dataclass(frozen=True)
class Walk:
    """One list. `page` gives rows and the cursor of the next page, "" at the end; `mend` raises Park for staff.

    `lookback`: how long before the run's `since` an object may have been made and still change; None: walk all.
    """

    page: Callable[[ReconcileRun, Walk], tuple[list[Row], str]]
    differs: Callable[[list[Row]], Differences]
    mend: Callable[[Row], object]
    fresh: Callable[[Row], Row]
    lookback: timedelta | None = None
    params: tuple[tuple[str, Any], ...] = ()


def _listed(name: str) -> Callable[[ReconcileRun, Walk], tuple[list[Row], str]]:
    """Pages of one of Stripe's lists, newest first."""

    def page(run: ReconcileRun, walk: Walk) -> tuple[list[Row], str]:
        params: dict[str, Any] = {"limit": PAGE, **dict(walk.params)}
        if run.since is not None and walk.lookback is not None:
            params["created"] = {"gte": int((run.since - walk.lookback).timestamp())}
        rows, cursor = gateway.read_page(getattr(gateway.client().v1, name).list, params, after=run.cursor)
        if name == "subscriptions":
            Subscription.objects.filter(stripe_id__in=[r["id"] for r in rows]).update(seen_at=run.started_wall)
        return rows, cursor

    return page


def _read(name: str) -> Callable[[Row], Row]:
    return lambda row: gateway.read(getattr(gateway.client().v1, name).retrieve, row["id"])


def _mend_subscription(row: Row) -> None:
    try:
        sync.subscription(row["id"])
    except work.Park:
        if row["status"] in LIVE:  # one that has ended takes no more money: the charges' walk tells of what it took
            raise


def _mend_customer(row: Row) -> None:
    member = customers.named_by(row)
    if member is None:
        raise work.Park(f"customer {row['id']} names a member who does not exist")
    customers.adopt(member, row["id"])


def _unseen(run: ReconcileRun, walk: Walk) -> tuple[list[Row], str]:
    """Our live subscriptions that Stripe's list did not show, a page of them."""
    unseen = Subscription.objects.filter(status__in=LIVE, read_at__lt=run.started_wall, pk__gt=run.cursor or 0)
    unseen = unseen.filter(Q(seen_at=None) | Q(seen_at__lt=run.started_wall))
    found = list(unseen.select_related("membership__member__customer").order_by("pk")[:PAGE])
    rows = [{"id": s.stripe_id, "customer": s.membership.member.customer.stripe_id} for s in found]
    return rows, str(found[-1].pk) if len(found) == PAGE else ""


def _unseen_differ(rows: list[Row]) -> Differences:
    live = Subscription.objects.filter(stripe_id__in=[row["id"] for row in rows], status__in=LIVE)
    return dict.fromkeys(live.values_list("stripe_id", flat=True), "live here, and not in Stripe's list")


def _mend_unseen(row: Row) -> None:
    try:
        sync.subscription(row["id"])
    except gateway.StripeRefused as refusal:
        if gateway.is_missing(refusal):
            raise work.Park(f"subscription {row['id']} is gone at Stripe") from refusal
        raise


def _living_on(run: ReconcileRun, walk: Walk) -> tuple[list[Row], str]:
    """Subscriptions that live although their membership has ended, a page of them."""
    left = Subscription.objects.filter(status__in=LIVE, membership__status=Status.ENDED, pk__gt=run.cursor or 0)
    found = list(left.select_related("membership__member__customer").order_by("pk")[:PAGE])
    rows = [{"id": s.stripe_id, "customer": _customer_of(s.membership)} for s in found]
    return rows, str(found[-1].pk) if len(found) == PAGE else ""


def _living_on_differ(rows: list[Row]) -> Differences:
    left = Subscription.objects.filter(stripe_id__in=[r["id"] for r in rows], status__in=LIVE)
    left = left.filter(membership__status=Status.ENDED)
    return dict.fromkeys(left.values_list("stripe_id", flat=True), "lives, and its membership has ended")


def _uncharged(run: ReconcileRun, walk: Walk) -> tuple[list[Row], str]:
    """Memberships that expect a renewal which no live subscription will charge, a page of them."""
    expecting = _expecting().filter(pk__gt=run.cursor or 0).select_related("member__customer")
    found = list(expecting.order_by("pk")[:PAGE])
    rows = [{"id": f"membership:{m.pk}", "pk": m.pk, "customer": _customer_of(m)} for m in found]
    return rows, str(found[-1].pk) if len(found) == PAGE else ""


def _expecting() -> QuerySet[Membership]:
    live = Subscription.objects.filter(membership=OuterRef("pk"), status__in=LIVE)
    return Membership.objects.filter(~Exists(live), renewal_expected=True, status__in=lifecycle.LIVING)


def _customer_of(membership: Membership) -> str:
    customer = getattr(membership.member, "customer", None)
    return customer.stripe_id if customer else ""


def _uncharged_differ(rows: list[Row]) -> Differences:
    left = _expecting().filter(pk__in=[row["pk"] for row in rows]).values_list("pk", flat=True)
    return {f"membership:{pk}": "expects a renewal, and no live subscription will charge it" for pk in left}


def _mend_living_on(row: Row) -> None:
    nets.end(Subscription.objects.select_related("membership__member").get(stripe_id=row["id"]))


def _mend_uncharged(row: Row) -> None:
    for subscription in Subscription.objects.filter(membership=row["pk"]):
        with contextlib.suppress(gateway.StripeRefused):  # gone: then staff will hear of the membership
            sync.subscription(subscription.stripe_id)


def _by(hint: Callable[[str], object]) -> Callable[[Row], object]:
    return lambda row: hint(row["id"])


def _same(row: Row) -> Row:
    return row


# In this order: a customer is adopted before its subscription, which is read before its invoices.
WALKS: dict[str, Walk] = {
    "customers": Walk(
        _listed("customers"), differences.customers, _mend_customer, _read("customers"), timedelta(days=2)
    ),
    # All of them, always: Stripe cannot be asked which have changed.
    "subscriptions": Walk(
        _listed("subscriptions"),
        differences.subscriptions,
        _mend_subscription,
        _read("subscriptions"),
        params=(("status", "all"),),
    ),
    # An invoice may be paid or voided until its last retry: two months after it was made at most.
    "invoices": Walk(
        _listed("invoices"),
        differences.invoices,
        lambda row: sync.subscription(differences.subscription_of(row)),
        _read("invoices"),
        timedelta(days=62),
    ),
    # Money as it moved: a charge may be refunded or contested for half a year after it was made.
    "charges": Walk(_listed("charges"), differences.charges, _by(hints.charge), _read("charges"), HALF_A_YEAR),
    "refunds": Walk(_listed("refunds"), differences.refunds, _by(hints.refund), _read("refunds"), HALF_A_YEAR),
    "disputes": Walk(_listed("disputes"), differences.disputes, _by(hints.dispute), _read("disputes"), HALF_A_YEAR),
    "unseen subscriptions": Walk(_unseen, _unseen_differ, _mend_unseen, _same),
    # The sweep asks for those that ended just now; here are all.
    "living on": Walk(_living_on, _living_on_differ, _mend_living_on, _same),
    "memberships": Walk(_uncharged, _uncharged_differ, _mend_uncharged, _same),
}
