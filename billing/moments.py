"""When something happens by itself in billing: for membership.time_travel, which stops there."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from billing import endings, grace, janitor, misplaced, nets, operations, refunds, running_out
from billing.models import CheckoutSession, Declaration, Notice, Operation, StripeEvent
from membership import work

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from django.db.models import QuerySet

# They look for what was lost on the way, which a mover of time does not lose; and forget what is old.
ON_ARRIVAL = frozenset(
    {"reconcile with Stripe", "read overdue ones again", "try parked events again", "forget old declarations"}
)


def next_due(after: datetime) -> datetime | None:
    """Payment pages that are looked after or run out, and calls that are asked about. What waits in the inbox is work,
    and known below."""
    pages = CheckoutSession.objects.filter(state=CheckoutSession.State.OPEN)
    unanswered = Operation.objects.filter(state__in=operations.OPEN)
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


# Whether a sweep would find something, asked of the very rows that it goes through.
SWEPT: dict[str, Callable[[datetime], tuple[QuerySet[Any], ...]]] = {
    "work off the inbox": lambda at: (work.due(StripeEvent.objects.all(), at=at),),
    "carry out declarations": lambda at: (work.due(Declaration.objects.all(), at=at),),
    "send notices": lambda at: (work.due(Notice.objects.all(), at=at),),
    "look after open checkouts": lambda at: (
        misplaced.unfinished(),
        endings.unfinished(),
        refunds.unfinished(at=at),
        nets.pages(at=at),
    ),
    "ask what was not answered": lambda at: (janitor.due(at=at),),
    "see out what ran out": lambda at: (running_out.due(at=at), nets.lives_on(at=at)),
    "end what was not paid": lambda at: (grace.due(at=at),),
}


def _is_needed(name: str, at: datetime) -> bool:
    return any(rows.exists() for rows in SWEPT[name](at))


NEEDED = {name: partial(_is_needed, name) for name in SWEPT}
