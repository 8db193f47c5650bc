"""A sweep whose time is over ends: it does not take that for one row's failure and go on with the next."""

from __future__ import annotations

import pytest
from celery.exceptions import SoftTimeLimitExceeded

from billing import sync, tasks
from billing.models import Subscription
from membership.models import Membership
from tests.billing.conftest import go_to_pay

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
