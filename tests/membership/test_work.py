"""Work rows: who claims, what a failure does, what parks."""

from __future__ import annotations

import smtplib
from datetime import timedelta

import pytest
from celery.exceptions import SoftTimeLimitExceeded

from membership import clock, middleware, work
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
        assert (row.done_at, row.last_error) == (None, "OSError")
        assert row.due_at == AT + timedelta(seconds=5)
        assert _drain(lambda _: None, at=row.due_at) == 1

    def test_ends_with_its_time_and_leaves_the_row_to_the_next(self, row):
        def takes_too_long(_):
            raise SoftTimeLimitExceeded

        with pytest.raises(SoftTimeLimitExceeded):
            _drain(takes_too_long)
        row.refresh_from_db()
        assert (row.done_at, row.claimed_until, row.last_error) == (None, None, "SoftTimeLimitExceeded")
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

    def test_parks_what_kills_its_worker_every_time(self, row):
        def dies(_):
            raise KeyboardInterrupt  # as little is said about the row as after a kill

        for _attempt in range(work.MAX_ATTEMPTS):
            with pytest.raises(KeyboardInterrupt):
                _drain(dies)
            Message.objects.update(claimed_until=clock.wall() - timedelta(seconds=1))
        assert _drain(pytest.fail) == 0
        row.refresh_from_db()
        assert row.parked_reason == "tried too often"

    @pytest.mark.parametrize("outcome", [None, OSError("no route"), work.Park("nobody knows this customer")])
    def test_leaves_the_row_to_the_worker_that_took_it_over(self, row, outcome):
        def is_overtaken(_):
            Message.objects.update(claimed_until=clock.wall() - timedelta(seconds=1))
            assert work.due(Message.objects.all(), at=AT).update(attempts=2, claimed_until=later)
            if outcome:
                raise outcome

        later = clock.wall() + timedelta(seconds=60)
        assert _drain(is_overtaken) == 0
        row.refresh_from_db()
        assert (row.done_at, row.parked_reason, row.due_at, row.claimed_until) == (None, "", AT, later)

    def test_says_in_production_what_went_wrong_without_repeating_it(self, row, settings, caplog):
        def refused(_):
            raise smtplib.SMTPRecipientsRefused({"a@example.org": (550, b"no")})

        settings.PRODUCTION = True
        _drain(refused)
        row.refresh_from_db()
        assert row.last_error == "SMTPRecipientsRefused"
        assert f"Message {row.pk} failed, attempt 1: SMTPRecipientsRefused" in caplog.text
        assert "a@example.org" not in caplog.text


class TestPark:
    def test_tells_staff_the_reason_and_a_visitor_that_somebody_must_look(self):
        park = work.Park("subscription sub_1 belongs to nobody")
        assert (park.reason, park.status, park.code) == ("subscription sub_1 belongs to nobody", 409, "needs_a_person")
        assert "sub_1" not in str(park)

    def test_becomes_a_page_where_a_request_runs_into_it(self, rf):
        def runs_into_it(_):
            raise AssertionError

        page = middleware.refusals(runs_into_it).process_exception(rf.get("/"), work.Park("sub_1"))
        assert page.status_code == 409
        assert b"One of us must look at this first" in page.content
        assert b"sub_1" not in page.content
