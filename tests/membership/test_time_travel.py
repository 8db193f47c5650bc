"""Moving the demo's clock: what is due happens at its own moment and in its order, and one moves it at a time."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
from django.conf import settings as configured
from django.core.management import CommandError, call_command

from membership import celery, messages, moments, time_travel
from membership import clock as product_clock
from membership.models import Message
from tests import factories
from tests.test_settings import PRODUCTION

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.VIP_DATA = tmp_path
    return tmp_path


@pytest.fixture
def bells(monkeypatch):
    """bells(often=2.0): only these are rung; the moments at which each of them was."""
    answered: dict[str, list[datetime]] = {}

    def hang(**pauses: float) -> dict[str, list[datetime]]:
        for name in pauses:
            answered[name] = []
            task = lambda name=name: answered[name].append(product_clock.now())  # noqa: E731
            monkeypatch.setitem(celery.app.tasks, f"tests.{name}", task)
        entries = {name: {"task": f"tests.{name}", "schedule": pause} for name, pause in pauses.items()}
        monkeypatch.setattr(celery, "schedule", lambda: entries)
        return answered

    hang()
    return hang


@pytest.fixture
def world(monkeypatch):
    """A module `moments` in place of the apps' own: the moments in `due`, and when each was seen to."""
    seen: list[datetime] = []
    module = SimpleNamespace(due=[], seen=seen, stuck="")

    def settle() -> int:
        reached = [at for at in module.due if at <= product_clock.now() and at not in seen]
        seen.extend(reached)
        return len(reached)

    module.settle = settle
    module.waiting = lambda: module.stuck
    module.next_due = lambda after: min((at for at in module.due if at > after), default=None)
    monkeypatch.setattr(time_travel, "_modules", lambda: [module])
    return module


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


@pytest.fixture
def joined_gold(clock):
    from membership import lifecycle

    plan = factories.plan("gold-year")
    one = lifecycle.reserve(member=factories.member(), plan=plan, currency="EUR", at=clock.now, actor="system")
    lifecycle.add_term(membership=one, source="paid", source_ref="t", plan=plan, at=clock.now, actor="stripe")
    one.refresh_from_db()
    return one


@pytest.fixture
def demo(settings, world, bells):
    """The demo's own clock and route."""
    settings.VIP_MODE, settings.VIP_CLOCK = "demo", "membership.clock.demo"
    settings.ROOT_URLCONF = "tests.demo_urls"


class TestTheBar:
    def press(self, client, by: str, **more: str):
        return client.post("/demo/time/", {"by": by, "next": "/plans/", **more}, follow=True)

    def test_is_on_a_page_and_leads_back_to_it(self, client, demo):
        page = client.get("/plans/?currency=USD").content.decode()
        assert 'action="/demo/time/"' in page
        assert 'value="/plans/?currency=USD"' in page

        before = product_clock.now()
        answer = self.press(client, "day")

        assert answer.redirect_chain == [("/plans/", 302)]
        assert timedelta(days=1) <= product_clock.now() - before < timedelta(days=1, minutes=1)
        assert "Here it is" in answer.content.decode()

    def test_a_month_is_a_month_of_the_calendar(self, client, demo):
        product_clock.turn_to(factories.moment("2028-01-31T10:00"))

        self.press(client, "month")

        assert f"{product_clock.now():%Y-%m-%d %H}" == "2028-02-29 10"

    def test_says_when_there_is_no_renewal_to_go_to(self, client, demo):
        before = product_clock.now()

        assert "No renewal is awaited" in self.press(client, "renewal").content.decode()
        assert product_clock.now() - before < timedelta(minutes=1)

    def test_goes_to_the_renewal_of_whoever_is_logged_in_else_to_the_next_one(self, client, demo, joined_gold):
        charged = joined_gold.terms.get().ends_at + moments.CHARGED_AFTER
        product_clock.turn_to(charged - timedelta(days=300))
        client.force_login(joined_gold.member.user, "allauth.account.auth_backends.AuthenticationBackend")

        self.press(client, "renewal")

        assert timedelta() <= product_clock.now() - charged < timedelta(minutes=1)

    def test_tells_the_second_of_two_that_time_moves_already(self, client, demo):
        with time_travel._alone(product_clock.now(), product_clock.now() + timedelta(days=30)):
            answer = self.press(client, "day").content.decode()
            asked = client.get("/demo/time/").json()

        assert "Time is being moved already" in answer
        assert "Time is moving to" in answer
        assert asked["moving"] is True

    def test_tells_what_keeps_time_from_going_on(self, client, demo, world, monkeypatch):
        monkeypatch.setattr(time_travel, "PATIENCE", 0.0)
        world.stuck = "invoice.paid for nobody"

        assert "invoice.paid for nobody" in self.press(client, "day").content.decode()

    def test_leads_to_no_other_house(self, client, demo):
        answer = client.post("/demo/time/", {"by": "day", "next": "https://elsewhere.example/"})

        assert answer["Location"] == "/"

    def test_is_on_no_page_of_another_mode(self, client):
        assert "demo-bar" not in client.get("/plans/").content.decode()
        assert client.post("/demo/time/").status_code == 404


def test_production_has_no_such_route():
    """Asked of a process that was started as in production."""
    ask = (
        "import django; django.setup(); from django.urls import get_resolver;"
        "print([str(one.pattern) for one in get_resolver().url_patterns])"
    )
    environment = {**os.environ, **PRODUCTION, "VIP_CLOCK": "", "DJANGO_SETTINGS_MODULE": "membership.settings"}
    told = subprocess.run(
        [sys.executable, "-c", ask], cwd=configured.ROOT, env=environment, check=True, capture_output=True, text=True
    ).stdout

    assert "'plans/'" in told
    for start in ("'demo/", "'dev/", "'stripe/"):
        assert start not in told


class TestTheCommand:
    def test_moves_by_days(self, demo):
        before = product_clock.now()

        call_command("move_time", "--days=2")

        assert timedelta(days=2) <= product_clock.now() - before < timedelta(days=2, minutes=1)

    def test_moves_to_a_day(self, demo):
        call_command("move_time", "--to=2099-03-02")

        assert f"{product_clock.now():%Y-%m-%d}" == "2099-03-02"

    def test_refuses_the_past_and_any_clock_but_a_demos(self, demo, settings):
        with pytest.raises(CommandError, match="forward"):
            call_command("move_time", "--to=1999-01-01")
        with pytest.raises(CommandError, match="No renewal"):
            call_command("move_time", "--next-renewal")
        settings.VIP_CLOCK = "tests.moment.now"
        with pytest.raises(CommandError, match="Only a demo's clock"):
            call_command("move_time", "--days=1")
