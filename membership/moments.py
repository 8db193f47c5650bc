"""When something happens by itself on the ground floor: for time_travel, which stops there."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.apps import apps
from django.db.models import Max

from membership import clock, standing, work
from membership.models import Membership, Message, Plan, Status
from membership.models.work import Work

if TYPE_CHECKING:
    from django.db.models import QuerySet

ON_ARRIVAL = frozenset({"forget rate counts"})
NEEDED = {"send messages": lambda at: work.due(Message.objects.all(), at=at).exists()}
LONGEST_GRACE = timedelta(days=400)  # no plan waits longer for a payment, a stop of most of a year included
# Stripe makes a renewal's invoice at the term's end and charges it about an hour later (finalization of the draft).
CHARGED_AFTER = timedelta(hours=2)


def next_due(after: datetime) -> datetime | None:
    """Work that waits for its hour, and the ends of what members are entitled to."""
    later = [rows.filter(due_at__gt=after).order_by("due_at") for rows in _work()]
    hours = [rows.values_list("due_at", flat=True).first() for rows in later]
    found = [*hours, *_first_after("entitled_until", after), *_first_after("cut_at", after), *_ends_of_grace(after)]
    return min((at for at in found if at is not None and at > after), default=None)


def waiting() -> str:
    """Rows of work that are due and not done, in whosever hands."""
    now = clock.now()
    rows = next((due for rows in _work() if (due := rows.filter(due_at__lte=now)).exists()), None)
    return "" if rows is None else f"{rows.model._meta.verbose_name} {rows.values_list('pk', flat=True).first()}"


def next_renewal(*, membership: Membership | None, at: datetime) -> datetime | None:
    """The moment by which the next renewal after `at` is charged: of `membership`, or of any. None: none is awaited."""
    once = Plan.Interval.ONCE
    awaited = Membership.objects.filter(renewal_expected=True, status=Status.ACTIVE).exclude(plan__interval=once)
    if membership is not None:
        awaited = awaited.filter(pk=membership.pk)
    ends = awaited.annotate(ends_at=Max("terms__ends_at")).filter(ends_at__gt=at - CHARGED_AFTER)
    first = ends.order_by("ends_at").values_list("ends_at", flat=True).first()
    return first + CHARGED_AFTER if first else None


def _work() -> list[QuerySet[Work]]:
    """Every kind of row that is work, of whichever app: those not done and not parked."""
    return [
        model._default_manager.filter(done_at=None, parked_reason="")
        for model in apps.get_models()
        if issubclass(model, Work)
    ]


def _first_after(field: str, after: datetime) -> list[datetime]:
    rows = Membership.objects.filter(**{f"{field}__gt": after}, ended_at=None).order_by(field)
    return list(rows.values_list(field, flat=True)[:1])


def _ends_of_grace(after: datetime) -> list[datetime]:
    waiting = (
        Membership.objects.select_related("plan")
        .prefetch_related("stops")
        .filter(
            entitled_until__lte=after, entitled_until__gt=after - LONGEST_GRACE, renewal_expected=True, ended_at=None
        )
    )
    return [until for membership in waiting if (until := standing.grace_until(membership)) is not None]
