"""What a read or a sweep costs the database does not grow with what has gathered there."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing import differences, gateway, grace, receipts, sync
from billing.models import Operation, Subscription
from membership import messages, sweeps
from membership.models import Membership, Plan, Tier
from tests import factories
from tests.billing.conftest import come_back, go_to_pay, pay, renews_at

pytestmark = pytest.mark.django_db(transaction=True)
YEARS = 3


def asked(act) -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        act()
    return [query["sql"] for query in queries]


def about(table: str, sql: list[str]) -> list[str]:
    return [line for line in sql if f'FROM "{table}"' in line]


def another(name: str) -> None:
    client = Client()
    client.force_login(factories.member(name).user, "allauth.account.auth_backends.AuthenticationBackend")
    pay(go_to_pay(client, "silver-year"))
    come_back(client)


@pytest.fixture
def stripe_id(joined, live) -> str:
    """Of a subscription that has been paid for some years."""
    for _year in range(YEARS - 1):
        live(max(Membership.objects.with_facts().get().terms.values_list("ends_at", flat=True)) + timedelta(hours=2))
    assert Membership.objects.get().terms.count() == YEARS
    return Subscription.objects.get().stripe_id


class TestReadingASubscription:
    def test_renders_no_receipt_of_other_years(self, stripe_id, monkeypatch):
        def is_rendered(*_: object) -> None:
            raise AssertionError("a receipt was rendered again")

        monkeypatch.setattr(messages, "_render", is_rendered)
        sql = asked(lambda: sync.subscription(stripe_id))
        assert len(about("membership_message", sql)) == 1

    def test_twin_without_the_look_the_old_ones_are_rendered(self, stripe_id, monkeypatch):
        rendered = []
        monkeypatch.setattr(messages, "_render", lambda kind, *_: rendered.append(kind) or ("", "", ""))
        monkeypatch.setattr(receipts.Message.objects, "filter", lambda **_: receipts.Message.objects.none())
        sync.subscription(stripe_id)
        assert rendered == ["receipt"] * YEARS

    def test_looks_for_operations_by_key_or_member_only(self, stripe_id):
        looked = about("billing_operation", asked(lambda: sync.subscription(stripe_id)))
        assert looked
        assert [sql for sql in looked if '"key" =' not in sql and '"member_id" =' not in sql] == []


class TestThePagesOfReconcile:
    def test_cost_the_same_however_many_rows_they_have(self, joined):
        def page() -> None:
            assert differences.subscriptions(gateway.read(gateway.client().v1.subscriptions.list, {})["data"]) == {}

        few = len(asked(page))
        for name in ("Bob", "Cleo", "Dan"):
            another(name)
        assert len(asked(page)) == few

    def test_also_of_rows_that_nobody_knows(self, joined):
        def page() -> int:
            rows = gateway.read(gateway.client().v1.subscriptions.list, {})["data"]
            return len(differences.subscriptions([row | {"id": f"other_{row['id']}"} for row in rows]))

        few = len(asked(page))
        another("Bob")
        another("Cleo")
        assert page() == 3
        assert len(asked(page)) == few


class TestTheSweepOfGrace:
    @pytest.fixture
    def nearly_over(self, joined, clock):
        """Three in the last hours of their grace."""
        another("Bob")
        another("Cleo")
        Subscription.objects.update(status="past_due")
        clock.move_to(renews_at() + timedelta(days=14, hours=3))

    def test_asks_for_the_facts_of_all_at_once(self, nearly_over, clock):
        assert Membership.objects.filter(entitled_until__lte=clock.now).count() == 3
        many = len(asked(lambda: list(grace.due(at=clock.now))))
        Subscription.objects.exclude(pk=Subscription.objects.first().pk).update(status="active")
        assert len(asked(lambda: list(grace.due(at=clock.now)))) == many

    def test_asks_of_each_once_and_not_at_every_ring(self, nearly_over, clock):
        first = len(asked(lambda: grace.end_what_ran_out(at=clock.now)))
        assert len(asked(lambda: grace.end_what_ran_out(at=clock.now))) == 2  # the shortest grace; who waits
        assert first > 2
        clock.move(days=1)
        assert grace.end_what_ran_out(at=clock.now) == 0  # Stripe says: paid
        assert set(Subscription.objects.values_list("status", flat=True)) == {"active"}

    def test_passes_over_those_whose_grace_is_longer(self, nearly_over, clock):
        tier = Tier.objects.get(code="gold")
        Membership.objects.update(plan=Plan.objects.create(code="gold-patient", tier=tier, grace_days=30))
        for _day in range(3):
            assert grace.end_what_ran_out(at=clock.now) == 0
            assert list(sweeps.waiting("end unpaid", grace.due(at=clock.now), at=clock.now)) == []
            clock.move(days=1)

    def test_ends_what_is_over_at_the_midnight_it_is_over(self, joined, clock):
        Subscription.objects.update(status="past_due")
        until = Membership.objects.get().entitled_until + timedelta(days=14)
        clock.move_to(until - timedelta(seconds=1))
        assert [grace.is_over(s, s.membership, clock.now) for s in grace.due(at=clock.now)] == [False]
        clock.move_to(until)
        assert [grace.is_over(s, s.membership, clock.now) for s in grace.due(at=clock.now)] == [True]


def test_every_operation_names_its_member(stripe_id):
    assert not Operation.objects.filter(member=None).exists()
