"""Work rows: who claims, what a failure does, what parks."""

from __future__ import annotations

from datetime import timedelta

import pytest

from membership import clock, work
from membership.models import Message
from tests.factories import moment

pytestmark = pytest.mark.django_db

AT = moment("2026-05-01T12:00")


@pytest.fixture
def row() -> Message:
    return Message.objects.create(key="k", kind="test", to="a@example.org", written_at=AT, due_at=AT)


def _drain(handle, at=AT):
    return work.drain(Message.objects.all(), handle, at=at)


class TestDrain:
    def test_hands_a_due_row_over_once(self, row):
        handled = []
        assert _drain(handled.append) == 1
        assert _drain(handled.append) == 0
        assert handled == [row]

    def test_leaves_a_row_that_is_not_due(self, row):
        assert _drain(pytest.fail, at=AT - timedelta(seconds=1)) == 0

    def test_leaves_a_row_in_another_workers_hands(self, row):
        Message.objects.update(claimed_until=clock.wall() + timedelta(seconds=30))
        assert _drain(pytest.fail) == 0

    def test_takes_over_from_a_worker_that_died(self, row):
        Message.objects.update(claimed_until=clock.wall() - timedelta(seconds=1))
        assert _drain(lambda _: None) == 1

    def test_tries_again_later_after_a_failure(self, row):
        def fails(_):
            raise OSError("no route")

        assert _drain(fails) == 0
        row.refresh_from_db()
        assert (row.done_at, row.last_error) == (None, "OSError: no route")
        assert row.due_at == AT + timedelta(seconds=5)
        assert _drain(lambda _: None, at=row.due_at) == 1

    def test_parks_what_needs_a_person(self, row):
        def parks(_):
            raise work.Park("nobody knows this customer")

        assert _drain(parks) == 0
        row.refresh_from_db()
        assert row.parked_reason == "nobody knows this customer"
        assert _drain(pytest.fail, at=AT + timedelta(days=9)) == 0

    def test_parks_what_failed_too_often(self, row):
        def fails(_):
            raise OSError("no route")

        for _attempt in range(work.MAX_ATTEMPTS):
            _drain(fails, at=AT + timedelta(days=9))
            Message.objects.update(due_at=AT)
        row.refresh_from_db()
        assert row.parked_reason == "tried too often"
