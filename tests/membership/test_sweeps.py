"""A sweep's turn: bounded, in order, and never held up by a row that cannot be dealt with."""

from __future__ import annotations

from datetime import timedelta

import pytest
from celery.exceptions import SoftTimeLimitExceeded

from membership import sweeps, tasks
from membership.models import Setback

pytestmark = pytest.mark.django_db


@pytest.fixture
def numbered(clock):
    """Rows that wait: what `Setback` itself is made of will do, for its key is a number."""
    for number in range(6):
        Setback.objects.create(sweep="other", row=number, until=clock.now)
    return Setback.objects.filter(sweep="other").order_by("row")


def take(rows, clock, *, bad: set[int] = frozenset(), limit: int = 3, error: type[Exception] = KeyError) -> list[int]:
    """One turn over `rows`. -> which were begun."""
    begun = []

    def act(row: Setback) -> bool:
        begun.append(row.row)
        if row.row in bad:
            raise error
        return Setback.objects.filter(pk=row.pk).update(sweep="done") == 1

    try:
        sweeps.turn("test", rows, act, at=clock.now, limit=limit)
    except SoftTimeLimitExceeded:
        begun.append(-1)
    return begun


def test_takes_what_waits_longest_and_goes_on_in_the_next(numbered, clock):
    assert [take(numbered, clock) for _turn in range(3)] == [[0, 1, 2], [3, 4, 5], []]


def test_tells_how_many_were_done(numbered, clock):
    assert sweeps.turn("test", numbered, lambda row: row.row % 2, at=clock.now, limit=5) == 2


def test_ends_when_its_seconds_are_over(numbered, clock, monkeypatch):
    monkeypatch.setattr(sweeps, "SECONDS", 0.0)
    assert take(numbered, clock) == []


def test_bad_rows_in_front_do_not_starve_the_others(numbered, clock):
    bad = {0, 1, 2}
    assert take(numbered, clock, bad=bad) == take(numbered, clock, bad=bad) == [0, 1, 2]  # twice, at once
    assert take(numbered, clock, bad=bad) == [0, 1, 2]
    assert take(numbered, clock, bad=bad) == [3, 4, 5]
    clock.move(minutes=3)
    assert take(numbered, clock) == [0, 1, 2]


def test_twin_without_setbacks_they_do(numbered, clock, monkeypatch):
    monkeypatch.setattr(sweeps, "_set_back", lambda *_: None)
    assert [take(numbered, clock, bad={0, 1, 2}) for _turn in range(9)] == [[0, 1, 2]] * 9


def test_a_row_that_eats_up_the_sweeps_time_is_set_back_too(numbered, clock):
    for _turn in range(3):
        assert take(numbered, clock, bad={0}, error=SoftTimeLimitExceeded) == [0, -1]
    assert take(numbered, clock, bad={0}) == [1, 2, 3]


def test_waits_longer_each_time_up_to_an_hour(numbered, clock):
    for _turn in range(9):
        take(numbered, clock, bad={0}, limit=1)
        clock.move_to(Setback.objects.get(sweep="test").until)
    assert Setback.objects.get(sweep="test").attempts == 9
    assert (clock.now - clock.START).total_seconds() == 120 + 600 + 1800 + 4 * 3600


def test_what_went_through_is_forgotten_after_a_week(numbered, clock):
    clock.move(days=8)
    tasks.forget_rate_counts()
    assert not Setback.objects.exists()


def test_what_is_not_due_yet_is_passed_over_until_then(numbered, clock):
    until = clock.now + timedelta(hours=1)

    def early(row: Setback) -> None:
        raise sweeps.NotYet(until)

    assert sweeps.turn("test", numbered, early, at=clock.now, limit=2) == 0
    assert take(numbered, clock, limit=2) == [2, 3]
    clock.move_to(until)
    assert take(numbered, clock, limit=2) == [0, 1]
    assert set(Setback.objects.filter(sweep="test").values_list("attempts", "last_error")) == {(0, "")}
