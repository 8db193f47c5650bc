"""Repair on read: a renewal that was paid unheard is found once somebody looks, and looking never waits."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing import overdue, tasks
from billing.emulator import faults, timeline
from billing.models import Subscription
from membership import clock as product_clock
from membership import doorbell
from membership.models import Membership, Term
from perks import decisions, keys
from tests.billing.conftest import come_back, go_to_pay, pay
from tests.perks.conftest import Shop

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def rung(monkeypatch) -> list[tuple[str, int]]:
    """What was rung for, worked off by nobody."""
    rings: list[tuple[str, int]] = []
    monkeypatch.setattr(doorbell, "_send", lambda task, pk: rings.append((task, pk)))
    return rings


@pytest.fixture
def renewed_unheard(visitor, clock, rung):
    """A year on, the renewal is paid at Stripe, and no webhook ever came."""
    pay(go_to_pay(visitor))
    come_back(visitor)
    clock.move_to(Term.objects.get().ends_at + timedelta(days=1, hours=2))
    timeline.catch_up()
    Subscription.objects.update(read_at=product_clock.wall() - timedelta(days=1))
    rung.clear()
    return visitor


def overdue_rings(rung) -> list[tuple[str, int]]:
    return [ring for ring in rung if ring[0].startswith(("billing.read", "billing.member"))]


class TestLookingAtThePortal:
    def test_has_it_read_again_and_asks_stripe_nothing_itself(self, renewed_unheard, rung, clock):
        with faults.next_call("GET /v1/subscriptions/{id}", status=500, times=99) as fault:
            assert renewed_unheard.get("/portal/").status_code == 200
            assert fault.times == 99
        assert overdue_rings(rung) == [("billing.read_again", Subscription.objects.get().pk)]
        tasks.read_again(Subscription.objects.get().pk)
        assert Term.objects.count() == 2
        assert Membership.objects.get().entitled_until > clock.now

    def test_again_and_again_rings_once(self, renewed_unheard, rung):
        for _look in range(5):
            renewed_unheard.get("/portal/")
        assert len(overdue_rings(rung)) == 1

    def test_is_made_good_by_the_sweep_if_the_bell_is_lost(self, renewed_unheard, clock):
        renewed_unheard.get("/portal/")
        tasks.read_overdue_again()
        assert Term.objects.count() == 2
        assert Subscription.objects.get().reread_at is None

    def test_while_stripe_is_away_tries_again_in_ten_minutes(self, renewed_unheard, clock):
        renewed_unheard.get("/portal/")
        with faults.next_call("GET /v1/subscriptions/{id}", lost="request", times=9):
            assert overdue.read_again(at=clock.now) == 0
        assert overdue.read_again(at=clock.now) == 0
        clock.move(minutes=10)
        assert overdue.read_again(at=clock.now) == 1

    def test_of_a_running_membership_does_nothing(self, visitor, rung):
        pay(go_to_pay(visitor))
        come_back(visitor)
        rung.clear()
        visitor.get("/portal/")
        assert overdue_rings(rung) == []


class TestAskingAtTheTill:
    def test_tells_billing_once_in_ten_minutes_and_after_the_answer(self, renewed_unheard, rung, client, ada, clock):
        shop = Shop(client, keys.create(shop_name="Till 1", scopes=["perks:check"], at=clock.now, actor="system"))
        for _customer in range(3):
            assert shop.check(member={"number": ada.number})["member"]["standing"] == "grace"
            assert overdue_rings(rung) == []
        decisions.flush()
        decisions.flush()
        assert overdue_rings(rung) == [("billing.member_is_overdue", ada.pk)]
        tasks.member_is_overdue(ada.pk)
        assert overdue.read_again(at=clock.now) == 1
        assert shop.check(member={"number": ada.number})["member"]["standing"] == "current"
