"""The inbox: keep each event once, ring for a worker, work it off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction

from billing import webhooks
from billing.models import StripeEvent
from membership import doorbell, work

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet


def receive(event: dict[str, Any], *, at: datetime) -> None:
    """Store a verified event under its unique id. One that came before rings again: maybe nobody heard the first."""
    try:
        with transaction.atomic():  # written first and asked only if that fails: nearly all are new
            row = StripeEvent.objects.create(
                stripe_id=event["id"],
                type=event["type"],
                object_id=event["data"]["object"].get("id") or "",
                payload=event,
                received_at=at,
                due_at=at,
            )
    except IntegrityError:  # each_event_is_stored_once
        row = StripeEvent.objects.get(stripe_id=event["id"])
    if row.done_at is None:
        doorbell.ring("billing.handle_event", row.pk)


def handle(pk: int, *, at: datetime) -> bool:
    """Work off one event, if it is due and free."""
    return work.run_one(StripeEvent.objects.all(), pk, webhooks.dispatch, at=at)


def sweep(*, at: datetime) -> int:
    """Work off every event that is due. -> how many were done."""
    return work.drain(StripeEvent.objects.all(), webhooks.dispatch, at=at)


def try_parked_again(*, at: datetime, limit: int = 500) -> int:
    """What nobody could place may be placed by now: its customer is known, its membership made. -> how many were.

    What was tried longest ago comes first, so that each has its turn. An event that still has no place, or fails once
    more, is parked again with its reason; it is never dropped.
    """
    placed = 0
    for pk in parked().values_list("pk", flat=True)[:limit]:
        parked().filter(pk=pk).order_by().update(parked_reason="", due_at=at, attempts=work.MAX_ATTEMPTS - 1)
        placed += handle(pk, at=at)
    return placed


def try_again(pk: int, *, at: datetime) -> tuple[bool, str]:
    """One event now, parked or not. -> whether it is done, and why not."""
    return work.try_again(StripeEvent.objects.all(), pk, webhooks.dispatch, at=at)


def parked() -> QuerySet[StripeEvent]:
    """The events that nobody could place, tried longest ago first."""
    return StripeEvent.objects.filter(done_at=None).exclude(parked_reason="").order_by("due_at", "pk")
