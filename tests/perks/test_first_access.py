"""First-access letters: to whom a sale opens early, once each, in their day, zone and language."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command

from membership import households, lifecycle, signup, time_travel
from membership.models import Message
from perks import first_access
from perks.models import FirstAccess, Sale
from tests import factories


@pytest.fixture
def sale(laurel):
    return Sale.objects.get()


@pytest.fixture
def opening(sale, clock):
    """Puts the sale's public opening so that it opens to silver (24 hours before) at this moment."""

    def at(text):
        opens_at = datetime.fromisoformat(text).replace(tzinfo=UTC) + timedelta(hours=24)
        Sale.objects.update(opens_at=opens_at, closes_at=opens_at + timedelta(days=9))

    return at


def letters():
    return list(Message.objects.filter(kind="first_access").order_by("pk"))


def tick_at(clock, moment):
    clock.move_to(moment)
    call_command("tick")


class TestALetter:
    @pytest.mark.parametrize(
        ("zone", "opens", "written"),
        [
            ("Europe/Amsterdam", "2026-03-10T12:00", "2026-03-10T12:00"),  # 13:00 there: at once
            ("Europe/Amsterdam", "2026-03-10T08:00", "2026-03-10T08:00"),  # 9:00, the day has begun
            ("Europe/Amsterdam", "2026-03-10T07:59", "2026-03-09T18:00"),  # 8:59: the evening before, at 19:00
            ("Europe/Amsterdam", "2026-03-10T19:00", "2026-03-10T18:00"),  # 20:00: at 19:00
            ("Asia/Tokyo", "2026-03-10T15:00", "2026-03-10T10:00"),  # midnight there
            ("Pacific/Honolulu", "2026-03-10T12:00", "2026-03-10T05:00"),  # 2:00 there
            ("Asia/Kathmandu", "2026-03-10T03:15", "2026-03-10T03:15"),  # 9:00 there
        ],
    )
    def test_is_written_at_the_opening_or_in_the_evening_before(self, joined, opening, clock, zone, opens, written):
        opening(opens)
        joined("silver-year", member=factories.member(time_zone=zone))
        due_at = datetime.fromisoformat(written).replace(tzinfo=UTC)
        tick_at(clock, due_at - timedelta(seconds=1))
        assert letters() == []
        tick_at(clock, due_at)
        (letter,) = letters()
        assert letter.written_at == due_at

    def test_speaks_the_members_language_and_zone(self, joined, opening, clock):
        opening("2026-03-10T15:00")
        member = factories.member("Ada Lovelace", time_zone="Asia/Tokyo", language="de")
        joined("silver-year", member=member)
        tick_at(clock, datetime(2026, 3, 10, 10, tzinfo=UTC))
        (letter,) = letters()
        assert letter.subject == "Wintersale: öffnet für Sie am 11. März 2026, 00:00"
        assert "Für alle anderen öffnet er am 12. März 2026, 00:00." in letter.text
        assert letter.language == "de"

    def test_says_that_it_is_open_when_it_is(self, joined, opening, clock):
        opening("2026-03-10T12:00")
        joined("silver-year", member=factories.member(time_zone="Europe/Amsterdam"))
        tick_at(clock, datetime(2026, 3, 10, 12, tzinfo=UTC))
        (letter,) = letters()
        assert letter.subject == "Winter sale: open for you now"
        assert "For everybody else it opens on 11 March 2026, 13:00." in letter.text

    def test_is_written_once_whatever_happens(self, joined, opening, clock):
        opening("2026-03-10T12:00")
        membership = joined("silver-year")
        tick_at(clock, datetime(2026, 3, 10, 12, tzinfo=UTC))
        gold = factories.plan("gold-year")
        ref = {"source_ref": "in_up", "at": clock.move(hours=1), "actor": "stripe"}
        lifecycle.change_tier(membership=membership, to_plan=gold, **ref)
        call_command("tick")
        Sale.objects.update(invited_at=None, invited_upto=0)
        call_command("tick")
        call_command("tick")
        assert len(letters()) == 1

    def test_comes_to_each_member_of_a_household(self, joined, opening, clock):
        opening("2026-03-10T12:00")
        membership, holder = joined("silver-year"), factories.member()
        households.open_seat(membership=membership, holder=holder, at=clock.now, actor="staff:1")
        tick_at(clock, datetime(2026, 3, 10, 12, tzinfo=UTC))
        assert {letter.member_id for letter in letters()} == {membership.member_id, holder.pk}


class TestNoLetter:
    def at_the_opening(self, clock):
        tick_at(clock, datetime(2026, 3, 10, 12, tzinfo=UTC))
        return letters()

    def test_to_whom_the_sale_opens_with_everybody(self, joined, opening, clock):
        opening("2026-03-10T12:00")
        joined("bronze-year")
        factories.member()
        assert self.at_the_opening(clock) == []
        assert not FirstAccess.objects.exists()

    def test_to_who_does_not_want_one(self, joined, opening, clock):
        opening("2026-03-10T12:00")
        member = joined("silver-year").member
        signup.choose(member=member, sale_letters=False, found_by_email=False, at=clock.now, actor="member:1")
        assert self.at_the_opening(clock) == []
        assert FirstAccess.objects.get().done_at is not None

    def test_to_whose_membership_was_stopped_or_is_over(self, joined, opening, clock):
        opening("2026-03-10T12:00")
        stopped, over = joined("silver-year"), joined("silver-year")
        at = clock.now
        lifecycle.suspend(membership=stopped, source="fraud", source_ref="x", at=at, actor="staff:1")
        lifecycle.end(membership=over, reason="refunded", at=at, actor="staff:1")
        assert self.at_the_opening(clock) == []

    def test_about_a_sale_that_was_taken_back(self, joined, opening, clock):
        opening("2026-03-10T12:00")
        joined("silver-year")
        call_command("tick")
        Sale.objects.update(published=False)
        assert self.at_the_opening(clock) == []

    def test_once_the_sale_is_open_to_everybody(self, joined, opening, clock):
        opening("2026-03-10T12:00")
        joined("silver-year")
        call_command("tick")
        tick_at(clock, datetime(2026, 3, 11, 12, tzinfo=UTC))
        assert letters() == []


class TestChanges:
    def test_who_joins_while_it_is_open_for_them_is_told_at_once_by_day(self, joined, opening, clock):
        opening("2026-03-10T12:00")
        call_command("tick")
        clock.move_to(datetime(2026, 3, 10, 14, tzinfo=UTC))
        joined("silver-year")
        call_command("tick")
        assert len(letters()) == 1

    def test_a_sale_put_off_is_told_of_when_it_opens(self, joined, opening, clock):
        opening("2026-03-10T12:00")
        joined("silver-year")
        call_command("tick")
        opening("2026-03-12T12:00")
        tick_at(clock, datetime(2026, 3, 10, 12, tzinfo=UTC))
        assert letters() == []
        tick_at(clock, datetime(2026, 3, 12, 12, tzinfo=UTC))
        assert len(letters()) == 1

    def test_members_are_noted_in_batches_and_none_is_left_out(self, joined, opening, clock, monkeypatch):
        monkeypatch.setattr(first_access, "MEMBERS_AT_ONCE", 2)
        opening("2026-07-10T12:00")  # too far to be asked about yet
        for _ in range(5):
            joined("silver-year")
        assert first_access.invite(at=clock.now) == 0
        at = clock.move_to(first_access.next_due(clock.now) + timedelta(seconds=1))
        assert [first_access.invite(at=at, batches=1) for _ in range(4)] == [2, 2, 1, 0]
        assert FirstAccess.objects.count() == 5

    def test_moving_time_stops_where_a_letter_is_due(self, joined, opening, clock):
        opening("2026-03-10T12:00")
        joined("silver-year", member=factories.member(time_zone="Europe/Amsterdam"))
        call_command("tick")
        due_at = datetime(2026, 3, 10, 12, tzinfo=UTC)
        clock.move_to(due_at - timedelta(hours=1))
        assert time_travel.next_due(after=clock.now) == due_at
