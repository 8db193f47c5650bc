"""Sweeps of the perks."""

from __future__ import annotations

from membership import clock, work
from membership.celery import app
from perks import confirmations, decisions
from perks.models import EmailConfirmation

BEAT = {
    "mail shops' codes": {"task": "perks.mail_shop_codes", "schedule": 5.0},
    "forget old decisions": {"task": "perks.forget_decisions", "schedule": 86_400.0},
}


@app.task(name="perks.forget_decisions")
def forget_decisions() -> None:
    at = clock.now()
    decisions.sweep(at=at)
    confirmations.sweep()
    work.ticked("forget old decisions", at=at)


@app.task(name="perks.mail_shop_code")
def mail_shop_code(pk: str) -> None:
    work.run_one(EmailConfirmation.objects.all(), pk, confirmations.mail, at=clock.now())


@app.task(name="perks.mail_shop_codes")
def mail_shop_codes() -> None:
    at = clock.now()
    work.drain(EmailConfirmation.objects.all(), confirmations.mail, at=at)
    work.ticked("mail shops' codes", at=at)
