"""Sweeps of the perks."""

from __future__ import annotations

from functools import partial

from membership import clock, work
from membership.celery import app
from perks import confirmations, decisions, first_access, idempotency, redemptions, seats, spreading
from perks.models import EmailConfirmation, Event

BEAT = {
    "expire holds": {"task": "perks.expire_holds", "schedule": 60.0},
    "forget old answers": {"task": "perks.forget_answers", "schedule": 86_400.0},
    "mail shops' codes": {"task": "perks.mail_shop_codes", "schedule": 5.0},
    "invite to sales": {"task": "perks.invite_to_sales", "schedule": 60.0},
    "write first-access letters": {"task": "perks.write_first_access", "schedule": 15.0},
    "seat who waits": {"task": "perks.seat_all_waiting", "schedule": 60.0},
    "carry publications": {"task": "perks.carry_publications", "schedule": 30.0},
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


@app.task(name="perks.invite_to_sales")
def invite_to_sales() -> None:
    at = clock.now()
    first_access.invite(at=at)
    work.ticked("invite to sales", at=at)


@app.task(name="perks.write_first_access")
def write_first_access() -> None:
    at = clock.now()
    work.drain(first_access.rows(), partial(first_access.write, at=at), at=at)
    work.ticked("write first-access letters", at=at)


@app.task(name="perks.expire_holds")
def expire_holds() -> None:
    at = clock.now()
    redemptions.sweep(at=at)
    work.ticked("expire holds", at=at)


@app.task(name="perks.forget_answers")
def forget_answers() -> None:
    at = clock.now()
    idempotency.sweep(at=at)
    work.ticked("forget old answers", at=at)


@app.task(name="perks.seat_waiting")
def seat_waiting(pk: int) -> None:
    seats.fill(event=Event.objects.get(pk=pk), at=clock.now())


@app.task(name="perks.seat_all_waiting")
def seat_all_waiting() -> None:
    at = clock.now()
    seats.sweep(at=at)
    work.ticked("seat who waits", at=at)


@app.task(name="perks.carry_publications")
def carry_publications(_pk: int = 0) -> None:
    """Whichever is on its way; the bell's id is only a hint."""
    at = clock.now()
    spreading.sweep(at=at)
    work.ticked("carry publications", at=at)
