"""Anniversaries and midnights at their awkward places."""

from __future__ import annotations

from datetime import date

import pytest

from membership import calendar
from tests.factories import moment


class TestAnniversary:
    @pytest.mark.parametrize(
        ("anchor", "interval", "count", "expected"),
        [
            ("2024-02-29T10:00", "year", 1, "2025-02-28T10:00"),  # clamped
            ("2024-02-29T10:00", "year", 4, "2028-02-29T10:00"),  # and back: counted from the anchor
            ("2096-02-29T10:00", "year", 4, "2100-02-28T10:00"),  # 2100 has no 29 February
            ("2026-01-31T10:00", "month", 1, "2026-02-28T10:00"),
            ("2026-01-31T10:00", "month", 2, "2026-03-31T10:00"),
            ("2026-11-30T23:59:59", "month", 3, "2027-02-28T23:59:59"),
            ("2026-12-31T00:00", "day", 1, "2027-01-01T00:00"),
            ("2026-03-28T12:00", "day", 2, "2026-03-30T12:00"),  # 48 hours, whatever the clocks do in between
        ],
    )
    def test_counts_from_the_anchor(self, anchor, interval, count, expected):
        assert calendar.anniversary(moment(anchor), interval, count) == moment(expected)


class TestMidnightAfter:
    @pytest.mark.parametrize(
        ("instant", "zone", "expected"),
        [
            ("2026-06-01T21:59:59", "Europe/Amsterdam", "2026-06-01T22:00"),
            ("2026-06-01T22:00", "Europe/Amsterdam", "2026-06-02T22:00"),  # strictly after: the whole next day counts
            ("2026-03-28T12:00", "Europe/Amsterdam", "2026-03-28T23:00"),
            ("2026-03-29T12:00", "Europe/Amsterdam", "2026-03-29T22:00"),  # that Sunday has 23 hours
            ("2026-01-01T00:00", "Pacific/Kiritimati", "2026-01-01T10:00"),  # UTC+14
            ("2026-01-01T00:00", "Asia/Kathmandu", "2026-01-01T18:15"),
            ("2026-04-23T12:00", "Africa/Cairo", "2026-04-23T22:00"),  # 24 April begins at 01:00 there
            ("2018-11-03T12:00", "America/Sao_Paulo", "2018-11-04T03:00"),  # 4 November 2018 began at 01:00
            ("2011-12-29T12:00", "Pacific/Apia", "2011-12-30T10:00"),  # 30 December 2011 did not happen
        ],
    )
    def test_is_the_end_of_the_local_day(self, instant, zone, expected):
        assert calendar.midnight_after(moment(instant), zone) == moment(expected)

    def test_the_day_to_print_is_the_last_that_counts(self):
        assert calendar.last_day(moment("2027-03-01T23:00"), "Europe/Amsterdam") == date(2027, 3, 1)
