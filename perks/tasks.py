"""Sweeps of the perks."""

from __future__ import annotations

from membership import clock, work
from membership.celery import app
from perks import decisions

BEAT = {
    "forget old decisions": {"task": "perks.forget_decisions", "schedule": 86_400.0},
}


@app.task(name="perks.forget_decisions")
def forget_decisions() -> None:
    at = clock.now()
    decisions.sweep(at=at)
    work.ticked("forget old decisions", at=at)
