"""Billing's doorbells and sweeps."""

from __future__ import annotations

from celery import signals

from billing import (
    announcing,
    declarations,
    gateway,
    grace,
    inbox,
    janitor,
    nets,
    overdue,
    reconcile,
    running_out,
    starting,
)
from membership import clock, work
from membership.celery import app
from membership.models import Member

BEAT = {
    "work off the inbox": {"task": "billing.sweep_inbox", "schedule": 2.0},
    "look after open checkouts": {"task": "billing.look_after_checkouts", "schedule": 60.0},
    "carry out declarations": {"task": "billing.sweep_declarations", "schedule": 5.0},
    "forget old declarations": {"task": "billing.forget_declarations", "schedule": 86_400.0},
    "try parked events again": {"task": "billing.try_parked_events_again", "schedule": 3600.0},
    "ask what was not answered": {"task": "billing.look_after_operations", "schedule": 60.0},
    "send notices": {"task": "billing.send_notices", "schedule": 60.0},
    "read overdue ones again": {"task": "billing.read_overdue_again", "schedule": 60.0},
    # Rings often and does little: it begins one run a night, and a run goes on for 20 seconds a ring.
    "reconcile with Stripe": {"task": "billing.reconcile", "schedule": 60.0},
    "see out what ran out": {"task": "billing.see_out", "schedule": 60.0},
    "end what was not paid": {"task": "billing.end_unpaid", "schedule": 60.0},
}


@signals.worker_process_init.connect
def look_at_account(**_: object) -> None:
    starting.begin()


@app.task(name="billing.handle_event")
@gateway.patient()
def handle_event(pk: int) -> None:
    inbox.handle(pk, at=clock.now())


@app.task(name="billing.sweep_inbox")
@gateway.patient()
def sweep_inbox() -> None:
    at = clock.now()
    inbox.sweep(at=at)
    work.ticked("work off the inbox", at=at)


@app.task(name="billing.carry_out_declaration")
@gateway.patient()
def carry_out_declaration(pk: int) -> None:
    declarations.carry_out(pk, at=clock.now())


@app.task(name="billing.sweep_declarations")
@gateway.patient()
def sweep_declarations() -> None:
    at = clock.now()
    declarations.sweep(at=at)
    work.ticked("carry out declarations", at=at)


@app.task(name="billing.forget_declarations")
def forget_declarations() -> None:
    at = clock.now()
    declarations.forget(at=at)
    work.ticked("forget old declarations", at=at)


@app.task(name="billing.look_after_checkouts")
@gateway.patient()
def look_after_checkouts() -> None:
    at = clock.now()
    nets.give_back_what_is_owed(at=at)
    nets.finish_refunds(at=at)
    nets.look_after_checkouts(at=at)
    work.ticked("look after open checkouts", at=at)


@app.task(name="billing.look_after_operations")
@gateway.patient()
def look_after_operations() -> None:
    at = clock.now()
    janitor.look_after(at=at)
    work.ticked("ask what was not answered", at=at)


@app.task(name="billing.try_parked_events_again")
@gateway.patient()
def try_parked_events_again() -> None:
    at = clock.now()
    inbox.try_parked_again(at=at)
    work.ticked("try parked events again", at=at)


@app.task(name="billing.send_notices")
@gateway.patient()
def send_notices() -> None:
    at = clock.now()
    announcing.sweep(at=at)
    work.ticked("send notices", at=at)


@app.task(name="billing.reconcile")
@gateway.patient()
def nightly_reconcile() -> None:
    at = clock.now()
    reconcile.nightly(at=at)
    work.ticked("reconcile with Stripe", at=at)


@app.task(name="billing.see_out")
@gateway.patient()
def see_out() -> None:
    at = clock.now()
    running_out.see_out(at=at)
    nets.end_what_lives_on(at=at)
    work.ticked("see out what ran out", at=at)


@app.task(name="billing.end_unpaid")
@gateway.patient()
def end_unpaid() -> None:
    at = clock.now()
    grace.end_what_ran_out(at=at)
    work.ticked("end what was not paid", at=at)


@app.task(name="billing.read_again")
@gateway.patient()
def read_again(pk: int) -> None:
    overdue.read_again(at=clock.now(), pk=pk)


@app.task(name="billing.member_is_overdue")
def member_is_overdue(pk: int) -> None:
    """A shop asked about a member in grace (perks.decisions rings)."""
    overdue.notice_member(Member.objects.get(pk=pk), at=clock.now())


@app.task(name="billing.read_overdue_again")
@gateway.patient()
def read_overdue_again() -> None:
    at = clock.now()
    overdue.read_again(at=at)
    work.ticked("read overdue ones again", at=at)
