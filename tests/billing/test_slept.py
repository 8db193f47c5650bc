"""A worker that slept between its read and its fold, while what it had read became untrue."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from billing import gateway, sync
from billing.emulator import timeline
from billing.models import Subscription
from membership.models import Membership
from tests.billing.conftest import renews_at

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def reads_while_it_was_canceled(joined, clock, monkeypatch):
    """The member cancels; a worker reads that and sleeps. In Stripe's portal they stay, and are charged when the year
    is over; then it wakes up, before anybody has heard of either.
    """
    subscription_id = Subscription.objects.get().stripe_id
    joined.post("/portal/cancel/")
    reads = sync._read

    def read(asked: str) -> sync.Read:
        monkeypatch.setattr(sync, "_read", reads)
        old = reads(asked)
        gateway.client().v1.subscriptions.update(asked, {"cancel_at_period_end": False})
        clock.move_to(renews_at() + timedelta(hours=2))
        timeline.catch_up()
        return replace(old, began=old.began - timedelta(minutes=3))

    monkeypatch.setattr(sync, "_read", read)
    return lambda: sync.subscription(subscription_id)


def found() -> tuple[str, int, str]:
    membership = Membership.objects.get()
    return membership.status, membership.terms.count(), Subscription.objects.get().status


def test_makes_nothing_of_it_and_ends_nobody(reads_while_it_was_canceled):
    with pytest.raises(gateway.StripeUnavailable):
        reads_while_it_was_canceled()
    assert found() == ("active", 1, "active")
    reads_while_it_was_canceled()  # whoever asked asks again
    assert found() == ("active", 2, "active")


def test_twin_that_believes_what_it_read_long_ago_ends_a_membership(reads_while_it_was_canceled, monkeypatch):
    monkeypatch.setattr(sync, "STALE", timedelta.max)
    reads_while_it_was_canceled()
    assert found() != ("active", 2, "active")
