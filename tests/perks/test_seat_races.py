"""Many for the last seat, two workers for one waiting member; never above capacity; and with the defence off."""

from __future__ import annotations

import contextlib
import threading

import pytest

from perks import events, seats
from perks.models import Event, Redemption
from tests.billing.test_races import at_once
from tests.invariants import without_constraint
from tests.perks.redeeming import wrong

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def event(laurel):
    Event.objects.update(places=1)
    return Event.objects.get()


@pytest.fixture
def people(event, joined):
    return [joined("gold-year").member for _ in range(3)]


def books(member, event, at):
    return lambda: seats.book_seat(member=member, event=event, at=at, actor=f"member:{member.pk}")


def places(event) -> list[int]:
    return [use.place for use in seats.seated(event)]


def test_of_three_at_once_one_sits_and_two_wait(event, people, clock):
    answers = at_once(*[books(member, event, clock.now) for member in people])
    assert [a for a in answers if isinstance(a, Exception)] == []
    assert sorted(a.use is None for a in answers) == [False, True, True]
    assert (places(event), seats.waiting(event).count(), wrong()) == ([1], 2, set())


def test_two_workers_give_one_seat_to_one(event, people, clock):
    for member in people:
        books(member, event, clock.now)()
    seats.give_back(use=seats.seated(event).get(), at=clock.now, actor="system")
    answers = at_once(*[lambda: seats.fill(event=event, at=clock.now)] * 2)
    assert sorted(answers) == [0, 1]
    assert ([use.member_id for use in seats.seated(event)], seats.waiting(event).count()) == ([people[1].pk], 1)
    assert wrong() == set()


def test_twin_without_the_constraint_two_sit_on_one_place(event, people, clock, monkeypatch):
    meeting = threading.Barrier(2)

    def the_same_place(use, *, waited=False):
        with contextlib.suppress(threading.BrokenBarrierError):
            meeting.wait(0.5)  # as who has looked before the other came
        use.place = use.capacity = 1

    monkeypatch.setattr(events, "seat", the_same_place)
    with without_constraint(Redemption, "one_live_redemption_per_place"):
        monkeypatch.setattr(events, "bookable", _as_if_free(events.bookable))
        at_once(*[books(member, event, clock.now) for member in people[:2]])
        assert places(event) == [1, 1]
        assert "I6" in wrong()


def _as_if_free(bookable):
    """Who looked before the other came: the place is still free."""
    return lambda **asked: {
        code: one.__class__(one.code, one.places, 0, *_dates(one)) for code, one in bookable(**asked).items()
    }


def _dates(one):
    return one.opens_at, one.closes_at, one.starts_at
