"""When something happens by itself in billing: for membership.time_travel, which stops there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Q

from billing import janitor, nets, running_out
from billing.models import LIVE, CheckoutSession, Notice, Operation, Refund, StripeEvent, Subscription
from membership import work
from membership.models import Status

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

# They look for what was lost on the way, which a mover of time does not lose.
ON_ARRIVAL = frozenset({"reconcile with Stripe", "read overdue ones again", "try parked events again"})


def next_due(after: datetime) -> datetime | None:
    """Payment pages that are looked after or run out, and calls that are asked about. What waits in the inbox is work,
    and known below."""
    pages = CheckoutSession.objects.filter(state=CheckoutSession.State.OPEN)
    unanswered = Operation.objects.filter(state__in=janitor.OPEN)
    found = [
        _first_after(pages, "look_at", after),
        _first_after(pages, "expires_at", after),
        _first_after(unanswered, "look_at", after),
    ]
    return min((at for at in found if at is not None), default=None)


def waiting() -> str:
    return ""


def _first_after(rows: QuerySet[Any], field: str, after: datetime) -> datetime | None:
    return rows.filter(**{f"{field}__gt": after}).order_by(field).values_list(field, flat=True).first()


# --- whether a sweep would find something; each asks for no less than its sweep looks at ------------------------------


def _pages_or_money(at: datetime) -> bool:
    """Pages to look after, and what was noted and not answered yet."""
    lost = Q(stripe_id=None, opened_at__lte=at - nets.PATIENCE)
    pages = CheckoutSession.objects.filter(state=CheckoutSession.State.OPEN)
    return (
        pages.filter(lost | Q(look_at__lte=at) | Q(expires_at__lte=at)).exists()
        or Operation.objects.filter(state=Operation.State.UNKNOWN).exists()
        or Refund.objects.filter(state=Refund.State.NOTED).exists()
    )


def _unanswered(at: datetime) -> bool:
    return Operation.objects.filter(state__in=janitor.OPEN, look_at__lte=at).exists()


def _ran_out(at: datetime) -> bool:
    lives_on = Subscription.objects.filter(membership__status=Status.ENDED, status__in=LIVE)
    return running_out.due(at=at).exists() or lives_on.exists()


def _unpaid(at: datetime) -> bool:
    return Subscription.objects.filter(status__in=LIVE, membership__entitled_until__lte=at).exists()


NEEDED = {
    "work off the inbox": lambda at: work.due(StripeEvent.objects.all(), at=at).exists(),
    "send notices": lambda at: work.due(Notice.objects.all(), at=at).exists(),
    "look after open checkouts": _pages_or_money,
    "ask what was not answered": _unanswered,
    "see out what ran out": _ran_out,
    "end what was not paid": _unpaid,
}
