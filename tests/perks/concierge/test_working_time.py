"""Working time: counted in real time, in local hours, over holidays, weekends and changes of clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perks.concierge import working_time
from perks.concierge.working_time import WorkingTime

HOME = "Europe/Amsterdam"
OFFICE = dict.fromkeys(range(5), ((540, 1080),))  # 09:00 to 18:00, Monday to Friday
WEEK = WorkingTime(HOME, OFFICE)


def local(text: str, zone: str = HOME) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def due(since: str, hours: float, week: WorkingTime = WEEK) -> datetime:
    return week.after(local(since, week.zone), timedelta(hours=hours))


@pytest.mark.parametrize(
    ("since", "hours", "answer"),
    [
        ("2026-03-02T10:00", 4, "2026-03-02T14:00"),  # within the day
        ("2026-03-02T16:00", 4, "2026-03-03T11:00"),  # over the night
        ("2026-03-06T17:00", 4, "2026-03-09T12:00"),  # over the weekend
        ("2026-03-07T12:00", 4, "2026-03-09T13:00"),  # asked on a Saturday
        ("2026-03-02T05:00", 4, "2026-03-02T13:00"),  # asked before anybody is there
        ("2026-03-02T14:00", 4, "2026-03-02T18:00"),  # as the desk closes, not as it opens next
        ("2026-03-27T17:00", 2, "2026-03-30T10:00"),  # over the weekend of summer time: local hours stay
        ("2026-10-23T17:00", 2, "2026-10-26T10:00"),  # and of winter time
    ],
)
def test_tells_by_when(since, hours, answer):
    assert due(since, hours) == local(answer)


def test_a_holiday_has_no_hours():
    closed = WorkingTime(HOME, OFFICE, frozenset({date(2026, 4, 3), date(2026, 4, 6)}))  # Good Friday, Easter Monday
    assert due("2026-04-02T17:00", 2, closed) == local("2026-04-07T10:00")


def test_a_night_in_which_clocks_change_has_the_hours_it_has():
    nights = WorkingTime(HOME, dict.fromkeys(range(7), ((0, 360),)))  # 00:00 to 06:00
    spring = (local("2026-03-29T00:00"), local("2026-03-29T06:00"))
    autumn = (local("2026-10-25T00:00"), local("2026-10-25T06:00"))
    assert (nights.worked(*spring), nights.worked(*autumn)) == (timedelta(hours=5), timedelta(hours=7))


def test_stretches_that_overlap_count_once():
    twice = WorkingTime(HOME, {0: ((540, 720), (600, 780))})
    assert twice.worked(local("2026-03-02T00:00"), local("2026-03-03T00:00")) == timedelta(hours=4)


def test_a_desk_that_never_opens_ends_somewhere():
    since = local("2026-03-02T10:00")
    assert WorkingTime(HOME, {}).after(since, timedelta(hours=1)) == since + working_time.HORIZON


stretch = st.tuples(st.integers(0, 1439), st.integers(1, 1440)).filter(lambda pair: pair[0] < pair[1])
weeks = st.builds(
    WorkingTime,
    zone=st.sampled_from([HOME, "UTC", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo"]),
    hours=st.dictionaries(st.integers(0, 6), st.lists(stretch, min_size=1, max_size=3).map(tuple), min_size=1),
    holidays=st.frozensets(st.dates(date(2026, 1, 1), date(2026, 12, 31)), max_size=12),
)
moments = st.integers(0, 365 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
amounts = st.integers(1, 40 * 60).map(lambda minutes: timedelta(minutes=minutes))


@settings(max_examples=60, deadline=None)
@given(weeks, moments, amounts)
def test_exactly_so_much_open_time_has_passed(week, since, working):
    until = week.after(since, working)
    if until < since + working_time.HORIZON:
        assert week.worked(since, until) == working
        assert week.is_open(until - timedelta(microseconds=1))  # as early as can be


@settings(max_examples=40, deadline=None)
@given(weeks, moments, amounts, st.integers(0, 100))
def test_who_asks_later_is_never_answered_earlier(week, since, working, hours):
    assert week.after(since, working) <= week.after(since + timedelta(hours=hours), working)


@settings(max_examples=40, deadline=None)
@given(weeks, moments, st.integers(1, 20))
def test_no_holiday_has_an_open_minute(week, since, days):
    for start, end in week.stretches(since, since + timedelta(days=days)):
        inside = start + (end - start) / 2
        assert week.hours.get(start.astimezone(ZoneInfo(week.zone)).weekday()) is not None
        assert start.astimezone(ZoneInfo(week.zone)).date() not in week.holidays
        assert week.is_open(inside)


def test_twin_counting_the_night_fails_what_is_promised():
    """The plain sum, which counts nights and weekends, is another moment: the table above would notice."""
    assert local("2026-03-06T17:00") + timedelta(hours=4) != due("2026-03-06T17:00", 4)


def test_the_week_is_told_in_runs():
    assert working_time.told(OFFICE | {5: ((600, 960),)}) == [(0, 4, ((540, 1080),)), (5, 5, ((600, 960),))]
