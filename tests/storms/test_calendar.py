"""The calendar: every start day of four years in eight zones over eight years, against a rule written a second time.

Pure for all 93,504 membership-years; a sample of 300 through the database. Then a beat that is doubled, absent for
three days or runs under a clock that goes back two hours: each step is still taken exactly once.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command

from billing.emulator import timeline
from billing.models import Subscription
from membership import calendar, lifecycle, messages, standing
from membership.models import Member, Membership, Message, Term
from membership.standing import Standing
from tests import factories
from tests.billing.conftest import come_back, go_to_pay, pay
from tests.storms.people import put_on_sale, somebody, tab_of

pytestmark = pytest.mark.storm

FIRST_DAY, DAYS, YEARS = date(2024, 1, 1), 1461, 8
ZONES = (
    "Europe/Amsterdam",
    "America/New_York",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "America/Santiago",  # where midnight itself is skipped when the clocks change
    "UTC",
)
Anniversary = Callable[[datetime, calendar.Interval, int], datetime]


def expected_end(start: datetime, years: int) -> datetime:
    """The rule in other words: the same day of the year; where February has no 29th, its last day."""
    try:
        return datetime.combine(date(start.year + years, start.month, start.day), start.timetz())
    except ValueError:
        return datetime.combine(date(start.year + years, 3, 1) - timedelta(days=1), start.timetz())


def first_midnight_after(moment: datetime, zone: str) -> datetime:
    """Found by looking: the first instant of the following local day, a minute at a time around where it must be."""
    tz = ZoneInfo(zone)
    today = moment.astimezone(tz).date()
    guess = datetime.combine(today + timedelta(days=1), time(), tzinfo=UTC) - timedelta(hours=15)
    guess = max(guess, moment)
    while guess.astimezone(tz).date() <= today:
        guess += timedelta(hours=1)
    guess -= timedelta(hours=1)
    guess = guess.replace(minute=guess.minute - guess.minute % 15, second=0, microsecond=0)
    while guess.astimezone(tz).date() <= today:
        guess += timedelta(minutes=15)  # Kathmandu is at +05:45
    return guess


def starts(rng: random.Random) -> list[datetime]:
    return [
        datetime.combine(FIRST_DAY + timedelta(days=n), time(rng.randrange(24), rng.randrange(60)), tzinfo=UTC)
        for n in range(DAYS)
    ]


def storm(anniversary: Anniversary, seed: int) -> int:
    """-> how many membership-years were looked at."""
    seen = 0
    for start in starts(random.Random(seed)):
        end = start
        for year in range(1, YEARS + 1):
            previous, end = end, anniversary(start, "year", year)
            assert end == expected_end(start, year), f"seed {seed}: year {year} from {start}"
            assert end > previous
            for zone in ZONES:
                midnight = calendar.midnight_after(end, zone)
                assert midnight == first_midnight_after(end, zone), f"seed {seed}: {end} in {zone}"
                last = calendar.last_day(midnight, zone)
                assert last == end.astimezone(ZoneInfo(zone)).date(), f"seed {seed}: {end} in {zone}"
                seen += 1
    return seen


def test_every_start_day_in_every_zone_for_eight_years(share):
    for seed in share.seeds(ci=1, full=3):
        assert storm(calendar.anniversary, seed) == DAYS * len(ZONES) * YEARS == 93_504


def test_counted_from_the_last_end_the_leap_day_is_lost(share):
    """The defence is counting from the anchor. Chained, a member of 29 February drifts to the 28th for ever."""

    def chained(anchor: datetime, interval: calendar.Interval, count: int) -> datetime:
        for _year in range(count):
            anchor = calendar.anniversary(anchor, interval, 1)
        return anchor

    with pytest.raises(AssertionError, match="from 2024-02-29"):
        storm(chained, 1)


@pytest.mark.django_db
def test_a_sample_through_the_database(clock, share):
    plan = factories.plan("gold-year")
    for seed in share.seeds(ci=300, full=1500):
        _live(random.Random(seed), plan, clock, seed)


@pytest.mark.django_db
def test_a_day_that_ends_with_its_instant_is_seen_in_the_sample(clock, monkeypatch):
    """The defence is the local midnight: off, the last day is cut short."""
    monkeypatch.setattr(calendar, "midnight_after", lambda moment, zone: moment)
    with pytest.raises(AssertionError, match="seed 1"):
        _live(random.Random(1), factories.plan("gold-year"), clock, 1)


def _live(rng: random.Random, plan, clock, seed: int) -> None:
    """One membership over some years: paid each time, with its standing asked around each boundary."""
    zone, start = rng.choice(ZONES), rng.choice(starts(rng))
    member = factories.member(at=start, time_zone=zone)
    membership = lifecycle.reserve(member=member, plan=plan, currency="EUR", at=start, actor="system")
    for year in range(1, rng.randint(2, 4)):
        at = start if year == 1 else expected_end(start, year - 1)
        for _told in range(rng.randint(1, 2)):
            lifecycle.add_term(
                membership=membership, source="paid", source_ref=f"{seed}:{year}", plan=plan, at=at, actor="stripe",
                starts_at=at,
            )  # fmt: skip
        _ask_around(Membership.objects.with_facts().get(pk=membership.pk), expected_end(start, year), zone, seed)
    assert Term.objects.filter(membership=membership).count() == year


def _ask_around(membership: Membership, end: datetime, zone: str, seed: int) -> None:
    until = first_midnight_after(end, zone)
    grace = calendar.day_start(until.astimezone(ZoneInfo(zone)).date() + timedelta(days=14), zone)
    told = {
        end: Standing.CURRENT,
        until - timedelta(seconds=1): Standing.CURRENT,
        until: Standing.GRACE,
        grace - timedelta(seconds=1): Standing.GRACE,
        grace: Standing.LAPSED,
    }
    for moment, expected in told.items():
        assert standing.at(membership, moment) == expected, f"seed {seed}: {moment} in {zone}"


# --- beat, as it should not be ----------------------------------------------------------------------------------------

PEOPLE = 3


def _a_year_with(clock, rng: random.Random) -> None:
    """From before the first notice until after the renewal, with a beat that is doubled, absent, or set back."""
    put_on_sale()
    for n in range(PEOPLE):
        tab = tab_of(somebody(f"Person {n}"))
        pay(go_to_pay(tab))
        come_back(tab)
        clock.move(hours=rng.randrange(1, 30))
    renews = min(Term.objects.values_list("ends_at", flat=True))
    clock.move_to(renews - timedelta(days=37))
    absent = rng.randrange(1, 30)
    while clock.now < renews + timedelta(days=4):
        clock.move(hours=rng.choice([7, 12, 18]))
        if rng.random() < 0.15:
            clock.move(hours=-2)
        days = (clock.now - renews).days + 37
        if absent <= days < absent + 3:
            continue
        timeline.catch_up()
        for _doubled in range(rng.choice([1, 1, 2])):
            call_command("tick")


def _each_step_once(seed: int) -> None:
    assert Term.objects.count() == 2 * PEOPLE, f"seed {seed}: a renewal was lost or doubled"
    written = Counter(Message.objects.values_list("member", "kind"))
    for member in Member.objects.all():
        kinds = {kind: n for (who, kind), n in written.items() if who == member.pk}
        assert kinds.pop("receipt", 0) == 2, f"seed {seed}: receipts of {member.pk}"
        notices = {kind: n for kind, n in kinds.items() if kind.startswith("renewal")}
        assert sum(notices.values()) == 2, f"seed {seed}: notices {notices}"
        assert kinds.get("welcome") == 1, f"seed {seed}"
    assert not Message.objects.filter(done_at=None).exists(), f"seed {seed}: a letter lies about"
    assert Subscription.objects.filter(status="active").count() == PEOPLE


@pytest.mark.django_db(transaction=True)
def test_each_step_is_taken_once_whatever_beat_does(clock, share):
    seed = share.seeds(ci=1, full=1)[0]
    _a_year_with(clock, random.Random(seed))
    _each_step_once(seed)


@pytest.mark.django_db(transaction=True)
def test_without_a_key_to_a_letter_it_is_not(clock, share, monkeypatch):
    """The defence is that a letter is written once per key: off, it is written whenever somebody comes by."""
    real, count = messages.write, iter(range(10**6))

    def forgetful(*, key: str, **rest):
        return real(key=f"{key}:{next(count)}", **rest)

    monkeypatch.setattr(messages, "write", forgetful)
    seed = share.seeds(ci=1, full=1)[0]
    _a_year_with(clock, random.Random(seed))
    with pytest.raises(AssertionError, match="seed"):
        _each_step_once(seed)
