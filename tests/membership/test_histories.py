"""Twelve worked histories: what a member has at several moments of a life.

Their inputs are facts only (moment, source, plan). Ends come from the calendar and from lifecycle; the expectations
are literals with the working beside them. The last test turns the clamp, the tiling, the anchor and the zone into
plausible mistakes and sees that each of them turns a history red.

Amsterdam is UTC+1 in winter and UTC+2 in summer, so its midnights are 23:00 and 22:00 UTC of the day before.
"""

from __future__ import annotations

import calendar as months
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from membership import calendar, households, lifecycle, standing
from membership import terms as terms_module
from membership.models import Member
from tests import factories
from tests.factories import moment
from tests.membership.story import Story

pytestmark = pytest.mark.django_db


def leap_day_member_over_eight_years() -> None:
    story = Story().at("2024-02-29T10:00").joins("gold-year")
    story.sees("current", until="2025-02-28T23:00")  # 28 Feb 2025 11:00 local -> midnight of 1 March, UTC+1
    # anchor + n years, clamped: 28 February, and the 29th again in 2028 and 2032
    for year, day in [(2025, 28), (2026, 28), (2027, 28), (2028, 29), (2029, 28), (2030, 28), (2031, 28)]:
        story.at(f"{year}-02-{day}T11:00").gets("paid", "gold-year").sees("current")
    story.has_terms(
        ("2024-02-29T10:00", "2025-02-28T10:00"),
        ("2025-02-28T10:00", "2026-02-28T10:00"),
        ("2026-02-28T10:00", "2027-02-28T10:00"),
        ("2027-02-28T10:00", "2028-02-29T10:00"),
        ("2028-02-29T10:00", "2029-02-28T10:00"),
        ("2029-02-28T10:00", "2030-02-28T10:00"),
        ("2030-02-28T10:00", "2031-02-28T10:00"),
        ("2031-02-28T10:00", "2032-02-29T10:00"),
    )
    story.at("2032-02-29T22:59:59").sees("current", until="2032-02-29T23:00")
    story.at("2032-02-29T23:00").sees("grace")


def upgrade_inside_a_term() -> None:
    story = Story().at("2026-03-10T09:00").joins("silver-year").sees("current", tier="silver")
    story.at("2026-06-01T12:00").tells(
        lifecycle.change_tier, to_plan=factories.plan("gold-year"), source_ref="invoice:up"
    )
    story.sees("current", until="2027-03-10T23:00", tier="gold")  # the term's end does not move
    story.at("2026-06-01T11:59:59").sees("current", tier="silver")
    story.has_terms(("2026-03-10T09:00", "2027-03-10T09:00"))
    story.at("2027-03-10T10:00").gets("paid", "gold-year").sees("current", until="2028-03-10T23:00", tier="gold")
    story.has_terms(("2026-03-10T09:00", "2027-03-10T09:00"), ("2027-03-10T09:00", "2028-03-10T09:00"))


def pause_and_early_return() -> None:
    story = Story().at("2026-01-15T08:00").joins("gold-year").sees("current", until="2027-01-15T23:00")
    story.at("2026-04-01T00:00").tells(lifecycle.pause, until=moment("2026-05-01T00:00"))
    story.sees("paused", until="2027-02-14T23:00")  # 15 January + 30 days of rest
    story.has_terms(("2026-01-15T08:00", "2027-02-14T08:00"))
    story.at("2026-04-30T23:59:59").sees("paused")
    story.at("2026-05-01T00:00").sees("current")  # by the clock alone
    story.at("2026-04-11T00:00").tells(lifecycle.end_pause)
    story.sees("current", until="2027-01-25T23:00")  # 10 of the 30 days were rested
    story.at("2027-01-25T09:00").gets("paid", "gold-year")  # the anchor moved along: 25 January from now on
    story.has_terms(("2026-01-15T08:00", "2027-01-25T08:00"), ("2027-01-25T08:00", "2028-01-25T08:00"))


def gift_on_top_of_paid() -> None:
    story = Story().at("2024-02-29T12:00").joins("bronze-year")
    story.at("2024-12-24T18:00").gets("gift", "silver-year").sees("current", until="2026-02-28T23:00", tier="bronze")
    story.at("2025-02-28T12:00").sees("current", tier="silver")  # the gift begins where the paid year ends
    # The gift opened a new anchor, 28 February; so in 2028 the year ends on the 28th, not on the 29th.
    story.at("2026-02-28T13:00").gets("paid", "bronze-year").sees("current", tier="bronze")
    story.at("2027-02-28T13:00").gets("paid", "bronze-year").sees("current", until="2028-02-28T23:00")
    story.has_terms(
        ("2024-02-29T12:00", "2025-02-28T12:00"),
        ("2025-02-28T12:00", "2026-02-28T12:00"),
        ("2026-02-28T12:00", "2027-02-28T12:00"),
        ("2027-02-28T12:00", "2028-02-28T12:00"),
    )


def dispute_while_suspended_by_staff() -> None:
    story = Story().at("2026-05-05T10:00").joins("gold-year")
    story.at("2026-06-01T09:00").tells(lifecycle.suspend, source="staff", source_ref="case:1").sees("suspended")
    story.at("2026-06-03T09:00").tells(lifecycle.suspend, source="dispute", source_ref="dp_1").sees("suspended")
    story.at("2026-07-01T09:00").tells(lifecycle.lift, source="dispute", source_ref="dp_1")
    story.sees("suspended")  # a won dispute never lifts what staff decided
    story.at("2026-07-02T09:00").tells(lifecycle.lift, source="staff", source_ref="case:1")
    story.sees("current", until="2027-05-05T22:00")  # 5 May 2027 12:00 local -> midnight, UTC+2
    story.has_terms(("2026-05-05T10:00", "2027-05-05T10:00"))


def full_refund() -> None:
    story = Story().at("2026-03-01T10:00").joins("gold-year").sees("current", until="2027-03-01T23:00")
    story.at("2026-03-08T15:30").tells(lifecycle.end, reason="refunded")
    story.sees("ended", until="2026-03-08T15:30")
    story.at("2026-03-08T15:29:59").sees("current")
    story.has_terms(("2026-03-01T10:00", "2027-03-01T10:00"))  # what was sold stays written
    story.at("2026-03-09T08:00").joins("silver-year").sees("current", until="2027-03-09T23:00", tier="silver")


def lapse_and_rejoin() -> None:
    story = Story().at("2025-01-10T12:00").joins("silver-year").sees("current", until="2026-01-10T23:00")
    number, since = story.member.number, moment("2025-01-10T12:00")
    story.at("2026-01-10T23:00").sees("grace")
    story.at("2026-01-24T22:59:59").sees("grace")  # 14 days of grace end at midnight of 25 January
    story.at("2026-01-24T23:00").sees("lapsed")
    story.at("2026-03-01T09:00").reserves("gold-year").sees("pending")
    story.at("2026-03-01T09:05").gets("paid", "gold-year").sees("current", until="2027-03-01T23:00", tier="gold")
    story.has_terms(("2026-03-01T09:05", "2027-03-01T09:05"))  # a new stay, counted from its own payment
    again = Member.objects.get(pk=story.member.pk)
    assert (again.number, again.member_since) == (number, since)
    assert [m.end_reason for m in again.memberships.order_by("reserved_at")] == ["lapsed", ""]


def household_seat() -> None:
    story = Story().at("2026-01-01T00:30").joins("gold-year").sees("current", until="2027-01-01T23:00")
    holder = factories.member("Grace Hopper")
    seat = households.open_seat(
        membership=story.membership, holder=holder, at=moment("2026-02-01T00:00"), actor="member"
    )
    theirs = standing.current_membership(holder, moment("2026-02-01T00:00"))
    assert theirs == story.membership
    story.at("2027-01-02T00:00").sees("grace")  # the seat shares the payer's grace, for it asks the same row
    households.close_seat(seat=seat, at=moment("2027-01-03T00:00"), actor="member")
    assert standing.current_membership(holder, moment("2027-01-03T00:00")) is None
    story.has_terms(("2026-01-01T00:30", "2027-01-01T00:30"))


def trial_that_turns_paid() -> None:
    story = Story().at("2026-09-01T07:00").reserves("gold-year").gets("trial", "gold-year", days=14)
    story.sees("current", until="2026-09-15T22:00", tier="gold")  # 15 September 09:00 local -> midnight, UTC+2
    story.at("2026-09-15T22:00").sees("grace")  # "active" at Stripe, but not paid
    story.at("2026-09-15T22:30").gets("paid", "gold-year").sees("current", until="2027-09-15T22:00")
    # paid late in the evening, yet the year begins where the trial ended
    story.has_terms(("2026-09-01T07:00", "2026-09-15T07:00"), ("2026-09-15T07:00", "2027-09-15T07:00"))


def offline_payment() -> None:
    story = Story().at("2026-10-25T00:30").reserves("silver-year").gets("offline", "silver-year")
    story.sees("current", until="2027-10-25T22:00")  # summer time lasts until 31 October in 2027
    story.at("2027-10-25T22:00").sees("lapsed")  # nobody awaits a renewal: no grace
    story.at("2027-10-01T10:00").gets("offline", "silver-year").sees("current", until="2028-10-25T22:00")
    story.has_terms(("2026-10-25T00:30", "2027-10-25T00:30"), ("2027-10-25T00:30", "2028-10-25T00:30"))


def free_extension() -> None:
    story = Story().at("2026-06-30T10:00").joins("gold-year").sees("current", until="2027-06-30T22:00")
    story.at("2026-12-01T09:00").tells(lifecycle.extend, days=10, source_ref="extension:1")
    story.sees("current", until="2027-07-10T22:00")  # 30 June + 10 days
    story.at("2027-07-10T11:00").gets("paid", "gold-year").sees("current", until="2028-07-10T22:00")
    story.has_terms(
        ("2026-06-30T10:00", "2027-06-30T10:00"),
        ("2027-06-30T10:00", "2027-07-10T10:00"),
        ("2027-07-10T10:00", "2028-07-10T10:00"),
    )


def second_currency_in_new_york() -> None:
    story = Story(zone="America/New_York", currency="USD").at("2026-11-01T05:30").joins("gold-year")
    # 1 November 2027 01:30 in New York is still summer time (until the 7th): midnight is 04:00 UTC
    story.sees("current", until="2027-11-02T04:00")
    assert story.membership.currency == "USD"
    story.at("2027-11-02T03:59:59").sees("current")
    story.at("2027-11-02T04:00").sees("grace")
    story.at("2027-11-16T04:59:59").sees("grace")  # 14 days later it is winter: midnight is 05:00 UTC
    story.at("2027-11-16T05:00").sees("lapsed")
    story.has_terms(("2026-11-01T05:30", "2027-11-01T05:30"))


HISTORIES: list[Callable[[], None]] = [
    leap_day_member_over_eight_years,
    upgrade_inside_a_term,
    pause_and_early_return,
    gift_on_top_of_paid,
    dispute_while_suspended_by_staff,
    full_refund,
    lapse_and_rejoin,
    household_seat,
    trial_that_turns_paid,
    offline_payment,
    free_extension,
    second_currency_in_new_york,
]


@pytest.mark.parametrize("history", HISTORIES, ids=lambda h: h.__name__)
def test_history(history: Callable[[], None]) -> None:
    history()


def _rolls_over(anchor: datetime, interval: calendar.Interval, count: int) -> datetime:
    """The mistake: 29 February + 1 year is 1 March."""
    if interval == "year" and not months.isleap(anchor.year + count) and (anchor.month, anchor.day) == (2, 29):
        return anchor.replace(year=anchor.year + count, month=3, day=1)
    return _real_anniversary(anchor, interval, count)


def _starts_when_paid(last, *, source, length, starts_at, interrupted=False):
    """The mistake: a term begins when its money arrives."""
    return _real_follow(None, source=source, length=length, starts_at=starts_at)


def _chained(last, source, length) -> bool:
    """The mistake: each term is counted from the last one's end."""
    return False


def _utc_midnight(instant: datetime, zone: str) -> datetime:
    """The mistake: midnight is everywhere at the same time."""
    return _real_midnight(instant.astimezone(UTC), "UTC")


_real_anniversary = calendar.anniversary
_real_follow = terms_module.follow
_real_midnight = calendar.midnight_after


@pytest.mark.parametrize(
    ("where", "name", "mistake"),
    [
        (calendar, "anniversary", _rolls_over),
        (terms_module, "follow", _starts_when_paid),
        (terms_module, "_runs_on", _chained),
        (calendar, "midnight_after", _utc_midnight),
    ],
    ids=["the clamp", "the tiling", "the anchor", "the zone"],
)
def test_a_mistake_in_it_turns_a_history_red(
    monkeypatch: pytest.MonkeyPatch, where: object, name: str, mistake: object
) -> None:
    monkeypatch.setattr(where, name, mistake)
    red = [history.__name__ for history in HISTORIES if _is_red(history)]
    assert red


def _is_red(history: Callable[[], None]) -> bool:
    try:
        history()
    except AssertionError:
        return True
    return False
