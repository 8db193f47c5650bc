"""Moving the demo's clock: what is due happens at its own moment and in its order, and one moves it at a time."""

from __future__ import annotations

import fcntl
from datetime import datetime, timedelta

import pytest

from membership import celery, messages, moments, time_travel
from membership.models import Message

pytestmark = pytest.mark.django_db


def days(clock, *numbers: float) -> list[datetime]:
    return [clock.START + timedelta(days=number) for number in numbers]


class TestMoving:
    def test_it_stops_wherever_something_is_due(self, clock, world, bells):
        world.due = days(clock, 5, 1, 3)
        turned = []

        journey = time_travel.move(to=clock.START + timedelta(days=4), turn=lambda at: turned.append(clock.move_to(at)))

        assert turned == days(clock, 1, 3, 4)
        assert world.seen == days(clock, 1, 3)
        assert (journey.moments, journey.started_at, journey.arrived_at) == (2, clock.START, clock.now)

    def test_what_becomes_due_on_the_way_has_its_own_moment(self, clock, world, bells):
        world.due = days(clock, 1)
        settle = world.settle

        def and_then() -> int:
            if clock.now == days(clock, 1)[0] and len(world.due) == 1:
                world.due += days(clock, 2)
            return settle()

        world.settle = and_then

        time_travel.move(to=clock.START + timedelta(days=3), turn=clock.move_to)

        assert world.seen == days(clock, 1, 2)

    def test_time_is_not_turned_back_for_what_is_late(self, clock, world, bells):
        world.due = days(clock, 1)
        turned = []

        def slow(at: datetime) -> None:
            turned.append(at)
            clock.move_to(at + timedelta(hours=1))  # the clock goes on while work is done
            world.due += [at + timedelta(minutes=30)] if len(world.due) == 1 else []

        time_travel.move(to=clock.START + timedelta(days=2), turn=slow)

        assert turned == days(clock, 1, 2)
        assert len(world.seen) == 2

    def test_bells_are_rung_at_each_moment_and_some_on_arrival_only(self, clock, world, bells):
        answered = bells(often=2.0, nightly=86_400.0)
        world.ON_ARRIVAL = frozenset({"nightly"})
        world.due = days(clock, 0.25, 1.5)

        time_travel.move(to=clock.START + timedelta(days=1.75), turn=clock.move_to)

        assert set(answered["often"]) == set(days(clock, 0, 0.25, 1.5, 1.75))
        assert answered["nightly"] == days(clock, 1.75)

    def test_a_bell_that_says_when_it_is_needed_is_rung_then_and_on_arrival(self, clock, world, bells):
        answered = bells(first=2.0, second=2.0)
        world.NEEDED = {"second": lambda at: answered["first"] == days(clock, 0, 0.25)}
        world.due = days(clock, 0.25, 1.5)

        time_travel.move(to=clock.START + timedelta(days=1.75), turn=clock.move_to)

        assert set(answered["second"]) == set(days(clock, 0.25, 1.75))

    def test_on_the_way_of_a_longer_one_nobody_arrives(self, clock, world, bells):
        answered = bells(rare=60.0, nightly=86_400.0)
        world.ON_ARRIVAL, world.NEEDED = frozenset({"nightly"}), {"rare": lambda at: False}

        time_travel.move(to=clock.START + timedelta(days=1), turn=clock.move_to, arrive=False)
        assert answered == {"rare": [], "nightly": []}

        time_travel.move(to=clock.START + timedelta(days=2), turn=clock.move_to)
        assert answered == {"rare": days(clock, 2), "nightly": days(clock, 2)}

    def test_a_bell_that_fails_is_told_and_keeps_nothing_up(self, clock, world, bells, monkeypatch):
        bells(sound=2.0, broken=2.0)
        monkeypatch.setitem(celery.app.tasks, "tests.broken", lambda: 1 / 0)

        journey = time_travel.move(to=clock.START + timedelta(days=1), turn=clock.move_to)

        assert journey.failed == {"broken"}
        assert clock.now == days(clock, 1)[0]

    def test_the_clock_stays_where_something_is_never_done(self, clock, world, bells, monkeypatch):
        monkeypatch.setattr(time_travel, "PATIENCE", 0.05)
        world.due, world.stuck = days(clock, 1), ""
        settle = world.settle

        def jam() -> int:
            world.stuck = "a letter" if clock.now >= days(clock, 1)[0] else ""
            return settle()

        world.settle = jam

        with pytest.raises(time_travel.StandsStill, match="a letter"):
            time_travel.move(to=clock.START + timedelta(days=2), turn=clock.move_to)

        assert clock.now == days(clock, 1)[0]
        assert time_travel.moving() is None

    def test_something_due_again_and_again_ends_the_move(self, clock, world, bells, monkeypatch):
        monkeypatch.setattr(time_travel, "MOMENTS", 5)
        world.next_due = lambda after: after + timedelta(seconds=1)

        with pytest.raises(time_travel.StandsStill):
            time_travel.move(to=clock.START + timedelta(days=1), turn=clock.move_to)

    def test_backwards_is_refused(self, clock, world, bells):
        with pytest.raises(time_travel.OnlyForward):
            time_travel.move(to=clock.START, turn=clock.move_to)


class TestOneAtATime:
    def test_the_second_is_refused_while_the_first_is_on_its_way(self, clock, world, bells):
        told = []
        world.due = days(clock, 1)

        def turn(at: datetime) -> None:
            clock.move_to(at)
            told.append(time_travel.moving())
            with pytest.raises(time_travel.AlreadyMoving):
                time_travel.move(to=at + timedelta(days=9), turn=clock.move_to)

        time_travel.move(to=days(clock, 2)[0], turn=turn)

        assert told == [time_travel.Moving(clock.START, days(clock, 2)[0])] * 2
        assert clock.now == days(clock, 2)[0]
        assert time_travel.moving() is None

    def test_the_note_of_one_that_was_killed_holds_nobody_up(self, clock, world, bells, folder):
        (folder / "clock_moving").write_text("[1.0, 2.0]")

        assert time_travel.moving() is None
        time_travel.move(to=days(clock, 1)[0], turn=clock.move_to)

        assert clock.now == days(clock, 1)[0]

    def test_asking_does_not_take_the_place(self, clock, world, bells, folder):
        with (folder / "clock_moving").open("a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write("[1.0, 2.0]")
            file.flush()
            assert time_travel.moving() is not None


class TestWhatIsDue:
    def test_a_letter_that_waits_for_its_hour(self, clock, bells):
        messages.write(key="x", kind="welcome", at=clock.now, to="a@example.org", context={})
        later = clock.now + timedelta(hours=3)
        Message.objects.update(due_at=later)

        assert time_travel.next_due(after=clock.now) == later
        assert moments.waiting() == ""

        clock.move_to(later)
        assert moments.waiting()

        Message.objects.update(done_at=later)
        assert moments.waiting() == ""
        assert time_travel.next_due(after=clock.START) is None

    def test_the_ends_of_what_a_member_is_entitled_to(self, clock, joined_gold):
        until = joined_gold.entitled_until
        grace = until + timedelta(days=joined_gold.plan.grace_days)

        due, at = [], clock.now
        while (at := moments.next_due(at)) is not None:
            due.append(at)

        assert until in due  # beside the letters that announce it
        assert abs(due[-1] - grace) <= timedelta(hours=1)  # summer time

    def test_the_next_renewal_is_the_end_of_the_last_term(self, clock, joined_gold):
        ends = joined_gold.terms.get().ends_at

        assert moments.next_renewal(membership=None, at=clock.now) == ends + moments.CHARGED_AFTER
        assert moments.next_renewal(membership=joined_gold, at=clock.now) == ends + moments.CHARGED_AFTER
        assert moments.next_renewal(membership=joined_gold, at=ends + moments.CHARGED_AFTER) is None
