"""Events that nobody here can place: adopted by what they name, or kept for staff; never dropped."""

from __future__ import annotations

import pytest

from billing import inbox
from billing.emulator import store
from billing.models import Customer, StripeEvent
from membership.models import Member, Membership
from tests.billing.conftest import go_to_pay, pay
from tests.invariants import breached

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lost_customer(visitor, ada) -> str:
    """Ada paid, and then the row that knows her customer is lost."""
    pay(go_to_pay(visitor))
    known = Customer.objects.get().stripe_id
    Customer.objects.all().delete()
    return known


def take_metadata(kind: str) -> None:
    for record in store.of(kind):
        record.data["metadata"] = {}
        store.save(record)


def test_an_event_whose_object_is_gone_at_stripe_waits_for_staff_with_its_reason(joined, webhooks):
    """As the objects of a test clock are that was deleted before its last events were heard."""
    for record in store.of("subscription"):
        store.delete(record)
    webhooks()

    parked = StripeEvent.objects.filter(done_at=None)
    assert {event.parked_reason for event in parked} == {
        f"{event.object_id} is not there at Stripe" for event in parked
    }
    assert "customer.subscription.created" in {event.type for event in parked}
    assert "I10" not in breached()


class TestAnUnknownSubscription:
    def test_is_adopted_by_the_membership_it_names(self, lost_customer, webhooks):
        take_metadata("customer")
        webhooks("shuffled")
        assert Customer.objects.get().stripe_id == lost_customer
        assert Membership.objects.get().status == "active"
        assert breached() == set()

    def test_is_adopted_by_the_member_its_customer_names(self, lost_customer, webhooks):
        take_metadata("subscription")
        webhooks("reversed")
        assert Membership.objects.get().status == "active"

    def test_that_names_nobody_waits_for_staff_with_its_reason(self, lost_customer, webhooks):
        take_metadata("subscription")
        take_metadata("customer")
        webhooks()
        assert Membership.objects.get().status == "pending"
        parked = StripeEvent.objects.filter(done_at=None)
        assert parked
        assert all("a customer we do not know" in event.parked_reason for event in parked)
        assert breached() == {"I8"}  # a live subscription whose price is ours, and no membership for it

    def test_is_placed_once_its_customer_is_known(self, lost_customer, webhooks, clock, ada: Member):
        take_metadata("subscription")
        take_metadata("customer")
        webhooks()
        assert inbox.try_parked_again(at=clock.now) == 0
        assert StripeEvent.objects.exclude(parked_reason="").exists()
        Customer.objects.create(member=ada, stripe_id=lost_customer)
        assert inbox.try_parked_again(at=clock.now) > 0
        assert not StripeEvent.objects.filter(done_at=None).exists()
        assert Membership.objects.get().status == "active"


class TestTheBell:
    def test_rings_again_when_an_event_comes_again_undone(self, on_sale, clock, monkeypatch):
        rung: list[int] = []
        monkeypatch.setattr(inbox.doorbell, "ring", lambda task, pk: rung.append(pk))
        event = {"id": "evt_1", "type": "product.created", "data": {"object": {"id": "prod_1"}}}
        inbox.receive(event, at=clock.now)
        inbox.receive(event, at=clock.now)
        assert len(rung) == 2
        inbox.sweep(at=clock.now)
        inbox.receive(event, at=clock.now)
        assert len(rung) == 2
