"""Doorbells and sweeps of the ground floor. Each is one call; doubled or lost, nothing changes in the end."""

from __future__ import annotations

from membership import clock, messages, seals, sweeps, work
from membership.celery import app
from membership.models import Message, RateCount

BEAT = {
    "send messages": {"task": "membership.send_messages", "schedule": 2.0},
    "seal the audit": {"task": "membership.seal_audit", "schedule": 60.0},
    "forget rate counts": {"task": "membership.forget_rate_counts", "schedule": 3600.0},
}


@app.task(name="membership.send_message")
def send_message(pk: int) -> None:
    work.run_one(Message.objects.all(), pk, messages.send, at=clock.now())


@app.task(name="membership.send_messages")
def send_messages() -> None:
    at = clock.now()
    work.drain(Message.objects.all(), messages.send, at=at)
    work.ticked("send messages", at=at)


@app.task(name="membership.seal_audit")
def seal_audit() -> None:
    at = clock.now()
    seals.seal(at=at)
    work.ticked("seal the audit", at=at)


@app.task(name="membership.forget_rate_counts")
def forget_rate_counts() -> None:
    RateCount.objects.filter(window_ends_at__lt=clock.wall()).delete()
    sweeps.forget(at=clock.now())
