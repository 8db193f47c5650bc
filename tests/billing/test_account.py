"""A copy of the database, or another account's key: billing stands still, perk checks go on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing import account, gateway, inbox, janitor, nets, operations, starting
from billing.emulator import store
from billing.emulator.models import Record
from billing.models import StripeAccount, StripeEvent
from membership.models import Membership
from perks.models import Entitlement

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cloned(joined):
    """The database was copied to where another account's key is."""
    StripeAccount.objects.update(stripe_id="acct_of_the_original")
    account.forget()  # another process
    return joined


class TestAtFirstSight:
    def test_the_account_and_its_mode_are_remembered(self, on_sale):
        known = StripeAccount.objects.get()
        assert (known.stripe_id, known.livemode) == (store.of("account").get().stripe_id, False)

    def test_a_process_asks_stripe_once(self, on_sale, monkeypatch):
        account.forget()
        asked = []
        monkeypatch.setattr(account, "_of_key", asking := {})
        for _call in range(3):
            gateway.read(gateway.client().v1.customers.list, {})
            asked.append(dict(asking))
        assert asked[0] == asked[2] != {}


class TestAClone:
    def test_charges_nobody_and_says_why(self, cloned, caplog):
        before = Record.objects.count()
        answer = cloned.post("/portal/cancel/")
        assert answer.status_code == 503
        assert "acct_of_the_original" not in answer.content.decode()
        assert Record.objects.count() == before
        assert "This database belongs to the Stripe account acct_of_the_original" in caplog.text

    def test_works_off_no_event_and_loses_none(self, cloned, clock):
        event = {"id": "evt_1", "type": "invoice.paid", "data": {"object": {"id": "in_1"}}}
        inbox.receive(event, at=clock.now)
        assert inbox.sweep(at=clock.now) == 0
        assert StripeEvent.objects.get(stripe_id="evt_1").done_at is None

    def test_asks_about_no_operation(self, cloned, clock):
        operation = operations.note(key="customer:of the copy", kind="customer", params={"email": "a", "metadata": {}})
        before = Record.objects.count()
        janitor.look_after(at=clock.now + timedelta(minutes=6))
        nets.look_after_checkouts(at=clock.now + timedelta(days=1))
        operation.refresh_from_db()
        assert (operation.state, Record.objects.count()) == ("unknown", before)

    def test_answers_perk_checks_as_ever(self, cloned):
        assert Membership.objects.get().status == "active"
        assert Entitlement.objects.exists()
        assert cloned.get("/portal/").status_code == 200

    def test_with_the_defense_off_writes_to_the_other_account(self, cloned, monkeypatch):
        monkeypatch.setattr(account, "objection", lambda ask: "")
        assert cloned.post("/portal/cancel/").status_code == 302
        assert store.of("subscription").get().data["cancel_at_period_end"] is True


class TestTheOtherMode:
    def test_of_a_copy_of_production_stops_billing(self, joined):
        StripeAccount.objects.update(livemode=True)
        with pytest.raises(gateway.WrongAccount) as stopped:
            gateway.read(gateway.client().v1.customers.list, {})
        assert "live mode" in stopped.value.details["said"]

    def test_of_an_object_that_was_read_stops_it_too(self, joined):
        subscription = store.of("subscription").get()
        subscription.data["livemode"] = True
        store.save(subscription)
        with pytest.raises(gateway.WrongAccount):
            gateway.read(gateway.client().v1.subscriptions.retrieve, subscription.stripe_id)


class TestAStart:
    def test_says_at_once_that_the_account_is_wrong(self, cloned, caplog):
        starting.begin().join(20)
        assert "Billing stands still" in caplog.text

    def test_goes_on_when_stripe_does_not_answer(self, on_sale, caplog):
        from billing.emulator import faults

        account.forget()
        with faults.next_call("GET /v1/account", lost="request", times=9):
            starting.begin().join(20)
        assert "could not be looked at yet" in caplog.text
