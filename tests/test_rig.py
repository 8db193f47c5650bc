"""The rig itself: a stopped clock, two databases, and no way out."""

from __future__ import annotations

import socket
import threading
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.db import connection, connections, transaction
from django.test.testcases import DatabaseOperationForbidden

from membership import clock as product_clock
from membership.models import Tick
from tests import installation
from tests.conftest import LOCAL_STRIPE_ALONE, WayOutRefused, asks_our_database


class TestClock:
    def test_it_stands_still_until_it_is_moved(self, clock):
        first = product_clock.now()

        clock.move(days=1)

        assert (product_clock.now() - first).days == 1
        assert clock.move_to(datetime(2028, 2, 29, tzinfo=UTC)) == product_clock.now()

    def test_without_the_fixture_it_is_wall_time(self):
        assert abs((product_clock.now() - datetime.now(UTC)).total_seconds()) < 5


class TestDatabases:
    def test_the_one_that_was_asked_for_answers(self, db):
        assert connection.vendor == {"postgres": "postgresql"}.get(installation.DATABASE, "sqlite")

    def test_the_local_stripes_may_be_used_in_the_same_test(self, db):
        with connections["local_stripe"].cursor() as cursor:
            cursor.execute("SELECT 1")

    @pytest.mark.django_db(transaction=True)
    def test_threads_write_one_after_the_other(self):
        def write(name: str) -> None:
            for round_ in range(5):
                with transaction.atomic():
                    Tick.objects.create(name=f"{name}{round_}", ran_at=product_clock.now())
            connection.close()

        threads = [threading.Thread(target=write, args=(f"t{n}",)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert Tick.objects.count() == 40


class TestWhatIsLeftOutOfTheSecondPass:
    """Only what could not reach the product's database if it tried."""

    def test_is_not_a_test_with_the_database(self, db, request):
        assert asks_our_database(request.node)

    @pytest.mark.django_db(transaction=True)
    def test_is_not_a_test_that_commits(self, request):
        assert asks_our_database(request.node)

    def test_is_a_test_without_any(self, request):
        assert not asks_our_database(request.node)
        with pytest.raises(RuntimeError, match="Database access not allowed"):
            connection.cursor()

    @pytest.mark.django_db(databases=LOCAL_STRIPE_ALONE)
    def test_is_a_test_of_the_local_stripe_alone(self, request):
        assert not asks_our_database(request.node)
        connections["local_stripe"].cursor().close()
        with pytest.raises(DatabaseOperationForbidden):
            connection.cursor()


class TestNetwork:
    @pytest.mark.parametrize("host", ["example.com", "192.0.2.1", "2001:db8::1"])
    def test_other_machines_are_refused(self, host):
        with pytest.raises(WayOutRefused):
            socket.create_connection((host, 80), timeout=1)


def test_no_real_account_can_be_seen_by_a_test():
    assert settings.STRIPE_SECRET_KEY == "sk_test_local"
    assert settings.LOCAL_STRIPE_INSTALLED
