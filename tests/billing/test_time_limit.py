"""A sweep whose time is over ends: it does not take that for one row's failure and go on with the next."""

from __future__ import annotations

from dataclasses import replace

import pytest
from celery.exceptions import SoftTimeLimitExceeded

from billing import gateway, reconcile, sync, tasks
from billing.emulator import faults
from billing.models import Operation, ReconcileFinding, ReconcileRun, Subscription
from membership import doorbell
from membership.celery import app
from membership.models import Membership
from tests.billing.conftest import go_to_pay, pay

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cut_off(monkeypatch) -> list[str]:
    """Every reading at Stripe takes too long. -> what was asked for."""
    asked: list[str] = []

    def takes_too_long(stripe_id: str, **_: object) -> None:
        asked.append(stripe_id)
        raise SoftTimeLimitExceeded

    monkeypatch.setattr(sync, "subscription", takes_too_long)
    monkeypatch.setattr(sync, "checkout", takes_too_long)
    return asked


def ends(task) -> None:
    with pytest.raises(SoftTimeLimitExceeded):
        task()


def takes_too_long(*_: object, **__: object) -> None:
    raise SoftTimeLimitExceeded


def test_of_what_ran_out(joined, clock, cut_off):
    clock.move(days=400)
    Membership.objects.update(renewal_expected=False)
    ends(tasks.see_out)
    assert len(cut_off) == 1


def test_of_what_was_not_paid(joined, clock, cut_off):
    clock.move(days=400)
    Subscription.objects.update(status="past_due")
    ends(tasks.end_unpaid)
    assert len(cut_off) == 1


def test_of_what_is_overdue(joined, clock, cut_off):
    Subscription.objects.update(reread_at=clock.now)
    ends(tasks.read_overdue_again)
    assert len(cut_off) == 1


def test_of_open_checkouts(visitor, clock, cut_off):
    go_to_pay(visitor)
    clock.move(minutes=11)
    ends(tasks.look_after_checkouts)
    assert len(cut_off) == 1


def test_of_what_was_not_answered(visitor, clock, monkeypatch):
    with faults.next_call("POST /v1/customers", times=9, lost="answer"):
        visitor.post("/checkout/gold-year/", {"agree": "on"})
    clock.move(minutes=6)
    monkeypatch.setattr(gateway, "call", takes_too_long)
    ends(tasks.look_after_operations)
    assert Operation.objects.get().state == Operation.State.UNKNOWN


@pytest.mark.parametrize("step", ["differs", "mend", "fresh"])
def test_of_reconciling_which_goes_on_where_it_stopped(visitor, clock, monkeypatch, step):
    pay(go_to_pay(visitor))  # and nothing was ever heard of it
    whole = reconcile.WALKS["subscriptions"]
    with monkeypatch.context() as patch:
        patch.setitem(reconcile.WALKS, "subscriptions", replace(whole, **{step: takes_too_long}))
        ends(tasks.nightly_reconcile)
    run = ReconcileRun.objects.get()
    assert (run.walk, run.claimed_until, ReconcileFinding.objects.count()) == ("subscriptions", None, 0)
    tasks.nightly_reconcile()
    assert ReconcileRun.objects.get().finished_at is not None


def test_of_reconciling_row_by_row(visitor, clock, monkeypatch):
    pay(go_to_pay(visitor))
    asked = []

    def stumbles(rows: list[object]) -> None:
        asked.append(len(rows))
        raise KeyError if len(asked) == 1 else SoftTimeLimitExceeded

    whole = reconcile.WALKS["subscriptions"]
    monkeypatch.setitem(reconcile.WALKS, "subscriptions", replace(whole, differs=stumbles))
    ends(tasks.nightly_reconcile)
    assert asked == [1, 1]


def test_while_it_rings(visitor, clock, monkeypatch):
    monkeypatch.setattr(app, "send_task", takes_too_long)
    ends(lambda: doorbell.ring("billing.handle_event", 1))
