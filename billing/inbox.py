"""The inbox: keep each event once, ring for a worker, work it off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from billing import webhooks
from billing.models import StripeEvent
from membership import doorbell, work

if TYPE_CHECKING:
    from datetime import datetime


def receive(event: dict[str, Any], *, at: datetime) -> None:
    """Store a verified event under its unique id. One that came before rings again: maybe nobody heard the first."""
    row, _ = StripeEvent.objects.get_or_create(
        stripe_id=event["id"],
        defaults={
            "type": event["type"],
            "object_id": event["data"]["object"].get("id") or "",
            "payload": event,
            "received_at": at,
            "due_at": at,
        },
    )
    if row.done_at is None:
        doorbell.ring("billing.handle_event", row.pk)


def handle(pk: int, *, at: datetime) -> bool:
    """Work off one event, if it is due and free."""
    return work.run_one(StripeEvent.objects.all(), pk, webhooks.dispatch, at=at)


def sweep(*, at: datetime) -> int:
    """Work off every event that is due. -> how many were done."""
    return work.drain(StripeEvent.objects.all(), webhooks.dispatch, at=at)
