"""Reconcile: whatever was missed is found in Stripe's lists, mended and told; and nothing else is touched."""

from __future__ import annotations

import io
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from billing import differences, gateway, nets, reconcile, walks
from billing.emulator import faults, store
from billing.emulator.models import Record
from billing.models import Customer, Invoice, ReconcileFinding, ReconcileRun, Subscription
from membership import lifecycle
from membership.models import Membership, TimelineEntry
from tests import factories
from tests.billing.conftest import come_back, go_to_pay, pay
from tests.invariants import breached, breached_once_worked_off

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def paid(visitor) -> Client:
    """Ada paid, and nothing was ever heard of it."""
    pay(go_to_pay(visitor))
    return visitor


@pytest.fixture
def joined(paid) -> Client:
    come_back(paid)
    return paid


def run(*args: str) -> dict:
    """The command, to its end. Its exit code says whether all was mended."""
    out, code = io.StringIO(), 0
    try:
        call_command("reconcile", *args, stdout=out)
    except CommandError as error:
        code = error.returncode
    report = json.loads(out.getvalue())
    assert code == bool(report["raised"]["count"] or report["failed"]["count"])
    return report


def counts(report: dict) -> tuple[int, int, int]:
    return tuple(report[outcome]["count"] for outcome in ("repaired", "raised", "failed"))


def another(name: str, plan: str = "silver-year") -> Client:
    client = Client()
    client.force_login(factories.member(name).user, "allauth.account.auth_backends.AuthenticationBackend")
    pay(go_to_pay(client, plan))
    return client


class TestWhatIsRight:
    def test_is_left_as_it_is(self, joined):
        assert counts(run()) == (0, 0, 0)
        assert not TimelineEntry.objects.filter(kind="reconcile.repaired").exists()
        assert ReconcileRun.objects.get().seen == 4  # a customer, a subscription, an invoice, a charge


class TestWhatWasMissed:
    def test_a_payment_nobody_heard_of_makes_its_membership(self, paid, ada):
        assert counts(run()) == (1, 0, 0)
        assert Membership.objects.get().status == "active"
        entry = TimelineEntry.objects.get(kind="reconcile.repaired")
        assert (entry.member, entry.data["object"]) == (ada, Subscription.objects.get().stripe_id)
        assert counts(run()) == (0, 0, 0)
        assert breached() == set()

    def test_a_customer_whose_row_was_lost_is_adopted_first(self, paid, ada):
        Customer.objects.all().delete()
        assert counts(run()) == (2, 0, 0)
        assert Membership.objects.get().status == "active"

    def test_a_cancellation_in_the_dashboard(self, joined):
        gateway.client().v1.subscriptions.update(Subscription.objects.get().stripe_id, {"cancel_at_period_end": True})
        assert counts(run()) == (1, 0, 0)
        assert Membership.objects.get().canceled_at is not None
        assert "cancel_at_period_end False, at Stripe True" in ReconcileFinding.objects.get().said

    def test_an_invoice_whose_row_is_wrong(self, joined):
        Invoice.objects.update(amount_paid=1)
        assert counts(run()) == (1, 0, 0)
        assert Invoice.objects.get().amount_paid == 11900

    def test_is_said_only_once_a_run(self, paid):
        first = run()
        assert TimelineEntry.objects.filter(kind="reconcile.repaired").count() == counts(first)[0]


class TestWhatNobodyKnows:
    def test_a_live_subscription_without_a_payer_is_raised(self, paid):
        Customer.objects.all().delete()
        for kind in ("customer", "subscription"):
            for record in store.of(kind):
                record.data["metadata"] = {}
                store.save(record)
        report = run()
        assert counts(report) == (0, 1, 0)
        assert "a customer we do not know" in report["raised"]["first"][0]

    def test_another_business_of_the_account_is_not_ours(self, joined):
        api = gateway.client().v1
        api.customers.create({"email": "shopper@example.org"})
        assert counts(run()) == (0, 0, 0)

    @pytest.mark.parametrize("intent", ["pi_of_another_shop", None])
    def test_what_a_member_paid_for_no_invoice_is_not_ours(self, joined, intent):
        _another_charge(intent)
        assert counts(run()) == (0, 0, 0)

    def test_what_a_member_paid_for_an_invoice_is_asked_after(self, joined):
        _another_charge(store.of("charge").get().data["payment_intent"])
        assert counts(run()) == (1, 0, 0)

    def test_a_customer_of_a_member_who_is_not(self, on_sale):
        gateway.client().v1.customers.create({"email": "who@example.org", "metadata": {"member": "4711"}})
        assert counts(run()) == (0, 1, 0)

    def test_a_subscription_that_is_gone(self, joined):
        Record.objects.filter(kind="subscription").delete()
        Record.objects.filter(kind="invoice").delete()
        report = run()
        assert counts(report) == (0, 1, 0)
        assert "is gone at Stripe" in report["raised"]["first"][0]

    def test_a_membership_that_nothing_will_charge(self, joined):
        Subscription.objects.update(status="canceled")
        Record.objects.filter(kind="subscription").update(deleted=True)
        Record.objects.filter(kind="invoice").delete()
        report = run()
        assert counts(report) == (0, 1, 0)
        assert "no live subscription will charge it" in report["raised"]["first"][0]


def _another_charge(intent: str | None) -> None:
    """Ada's card is charged once more, for this payment intent."""
    charge = store.of("charge").get()
    charge.pk, charge.stripe_id, charge.key = None, "ch_another", intent or ""
    charge.data |= {"id": charge.stripe_id, "payment_intent": intent}
    charge.save(force_insert=True)


class TestOneBadRow:
    def test_does_not_stop_the_rest(self, paid, monkeypatch):
        another("Bob")
        poison = store.of("subscription").order_by("id").first().stripe_id
        real = reconcile.WALKS["subscriptions"].differs

        def stumbles(rows):
            if any(row["id"] == poison for row in rows):
                raise KeyError(poison)
            return real(rows)

        walk = walks.Walk(**{**reconcile.WALKS["subscriptions"].__dict__, "differs": stumbles})
        monkeypatch.setitem(reconcile.WALKS, "subscriptions", walk)
        report = run()
        assert counts(report) == (1, 0, 1)
        assert Membership.objects.filter(status="active").count() == 2  # read again although it cannot be compared


class TestCutOff:
    def test_in_the_middle_of_a_list_it_goes_on_where_it_stopped(self, paid, monkeypatch, clock):
        for name in ("Bob", "Cleo", "Dan"):
            another(name)
        monkeypatch.setattr(walks, "PAGE", 1)
        with faults.next_call("GET /v1/subscriptions", lost="request", times=0) as fault:
            real = gateway.read

            def fails_at_the_third(function, *args):
                if (
                    args
                    and isinstance(args[0], dict)
                    and args[0].get("status") == "all"
                    and "starting_after" in args[0]
                ):
                    failed.append(1)
                    if len(failed) == 2:
                        fault.times = 9
                return real(function, *args)

            failed: list[int] = []
            monkeypatch.setattr(gateway, "read", fails_at_the_third)
            with pytest.raises(gateway.StripeUnavailable):
                reconcile.nightly(at=clock.now)
            fault.times = 0
        stopped = ReconcileRun.objects.get()
        assert (stopped.walk, stopped.finished_at, stopped.findings.count()) == ("subscriptions", None, 2)
        reconcile.nightly(at=clock.now)
        assert ReconcileRun.objects.get().finished_at is not None
        assert ReconcileFinding.objects.filter(outcome="repaired").count() == 4
        assert Membership.objects.filter(status="active").count() == 4

    def test_by_its_time_it_goes_on_at_the_next_ring(self, paid, monkeypatch, clock):
        another("Bob")
        monkeypatch.setattr(reconcile, "SLICE", 0.0)
        rings = 0
        while not (run := reconcile.nightly(at=clock.now)).finished_at:
            run.refresh_from_db()
            rings += 1
            if run.finished_at:
                break
        assert rings > 3
        assert ReconcileFinding.objects.filter(outcome="repaired").count() == 2

    def test_by_a_death_another_worker_takes_it_over(self, paid, clock):
        run = reconcile.begin(since=None, at=clock.now)
        ReconcileRun.objects.update(claimed_until=run.started_wall + timedelta(minutes=1))
        assert reconcile.go_on(run) is False
        ReconcileRun.objects.update(claimed_until=run.started_wall - timedelta(minutes=1))
        assert reconcile.go_on(run) is True


class TestTheNight:
    def test_begins_one_run_after_three_in_the_morning(self, joined, clock):
        assert reconcile.nightly(at=clock.now) is not None
        assert reconcile.nightly(at=clock.now) is None
        clock.move(hours=15)  # 02:00 the next day
        assert reconcile.nightly(at=clock.now) is None
        clock.move(hours=2)
        assert reconcile.nightly(at=clock.now) is not None

    def test_walks_what_is_new_and_once_a_month_everything(self, joined, clock):
        first = reconcile.nightly(at=clock.now)
        assert first.since is None
        clock.move(days=1)
        assert reconcile.nightly(at=clock.now).since == first.started_at
        clock.move(days=28)
        assert reconcile.nightly(at=clock.now).since is None

    def test_meets_again_what_it_could_not_mend(self, joined, clock):
        reconcile.nightly(at=clock.now)
        Customer.objects.all().delete()
        clock.move(days=8)
        with faults.next_call("GET /v1/customers/{id}", status=500, times=9):
            reconcile.nightly(at=clock.now)
        assert not ReconcileFinding.objects.exclude(outcome="failed").exists()
        Customer.objects.all().delete()
        clock.move(days=1)  # older by now than what a night looks back for
        reconcile.nightly(at=clock.now)
        assert Customer.objects.exists()

    def test_asks_only_for_what_was_made_since(self, joined, clock):
        clock.move(days=100)
        report = run("--since", clock.now.date().isoformat())
        assert report["seen"] == 2  # the subscription: of those, all; and a charge, which may change for half a year


def test_an_invoice_of_no_subscription_is_not_ours():
    assert differences.subscription_of({"parent": None}) == ""


class TestASubscriptionThatOutlivesItsMembership:
    @pytest.fixture
    def outlived(self, joined, clock) -> str:
        """It ended here days ago, and the process that would have canceled it there died."""
        membership = Membership.objects.with_facts().get()
        lifecycle.end(membership=membership, reason=Membership.EndReason.LAPSED, at=clock.now, actor="system")
        clock.move(days=nets.JUST_ENDED.days + 1)
        return Subscription.objects.get().stripe_id

    def test_is_past_what_the_sweep_looks_at(self, outlived, clock):
        nets.end_what_lives_on(at=clock.now)
        assert gateway.client().v1.subscriptions.retrieve(outlived).status == "active"

    def test_is_canceled_by_the_night_and_told(self, outlived, ada):
        assert counts(run()) == (1, 0, 0)
        assert gateway.client().v1.subscriptions.retrieve(outlived).status == "canceled"
        assert Subscription.objects.get().status == "canceled"
        assert TimelineEntry.objects.filter(member=ada, kind="reconcile.repaired").count() == 1
        assert counts(run()) == (0, 0, 0)
        assert breached_once_worked_off() == set()
