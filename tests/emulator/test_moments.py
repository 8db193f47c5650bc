"""What whoever moves the world's clock is told and can have done."""

from __future__ import annotations

import pytest

from billing.emulator import delivery, moments


@pytest.fixture
def post(monkeypatch, seller):
    """Deliveries reach the seller without a socket."""
    deliver = delivery.deliver
    monkeypatch.setattr(delivery, "deliver", lambda row: deliver(row, seller.receive))


def test_tells_the_next_moment_and_makes_it_happen(api, bought, seller, post, clock):
    renews = moments.next_due(clock.now)
    assert renews.timestamp() == bought.subscription["items"].data[0].current_period_end

    clock.move_to(renews)
    assert moments.settle()

    assert "invoice.created" in seller.types()
    assert not moments.waiting()
    assert moments.settle() == 0
    charged = moments.next_due(renews)
    assert 3600 <= (charged - renews).total_seconds() < 7200  # the draft's hour

    clock.move_to(charged)
    moments.settle()
    assert "invoice.paid" in seller.types()


def test_tells_an_event_that_was_refused_again_at_once(api, seller, post):
    seller.status = 500
    api.customers.create({})
    assert moments.settle() == 0
    assert "customer.created" in moments.waiting()

    seller.status = 200
    assert moments.settle() == 1
    assert moments.waiting() == ""
