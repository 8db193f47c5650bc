"""Redis is gone while people sign up and pay: nobody at the door notices, and when it is back all is worked off.

Real processes: redis-server, and web, worker, beat and local Stripe under `manage.py up`. First Redis refuses
connections, then it takes them and never answers, then it goes for a moment again and again.
"""

from __future__ import annotations

import random
import time

import pytest

from membership.bootstrap import personas
from tests.processes import Installation, Redis, installed, until
from tests.storms.crowd import LONG, PLACE, Crowd, Person

pytestmark = [pytest.mark.storm, pytest.mark.processes]
AT_ONCE = 4
LONGER = 12.0  # seconds a page may take beside what pages take here anyway
DRAINED = 60.0  # seconds after it is back
CODE = "SELECT subject FROM membership_message WHERE kind = 'account_verify' AND \"to\" = ?"
WAITING = """
SELECT (SELECT count(*) FROM membership_message WHERE done_at IS NULL)
     + (SELECT count(*) FROM billing_stripeevent WHERE done_at IS NULL)
"""
SWEPT = "SELECT ran_wall FROM membership_tick WHERE name = 'send messages'"


class Town:
    """People at the door of one installation."""

    def __init__(self, installation: Installation) -> None:
        self.base_url, self.ask = installation.base_url, installation.ask

    def signs_up(self, number: int) -> Person:
        """Sign up, give the code that was mailed; every tenth joins and pays as well."""
        person = Person(self.base_url, number)
        asked = [form for form in personas.sign_up(person, person.persona).forms if form.has("code")]
        page = person.submit(asked[0], code=self._code(person.persona.email))
        assert not page.path.startswith("/account/"), page.path
        if number % 10 == 0:
            personas.buy(person, "gold-year")
        return person

    def _code(self, email: str) -> str:
        return str(self.ask(CODE, email)).split()[-1]


def broker_goes(redis: Redis, town: Town, people: int, seconds: float, *, stop_at_error: bool = False) -> Crowd:
    """They come while it is gone, a few of them while it is silent; at least for so long."""
    crowd, began = Crowd(), time.monotonic()
    redis.go()
    crowd.come(list(range(1, people + 1)), town.signs_up, at_once=AT_ONCE, stop_at_error=stop_at_error)
    if not (stop_at_error and crowd.errors):
        time.sleep(max(0.0, seconds - (time.monotonic() - began)))
    redis.come()
    return crowd


def broker_stumbles(redis: Redis, town: Town, seconds: float) -> float:
    """It is gone for so long. -> after how many seconds a worker has heard a ring again."""
    redis.go()
    time.sleep(seconds)
    before = town.ask(SWEPT)
    redis.come()
    return until(lambda: town.ask(SWEPT) != before, "a worker hears", seconds=DRAINED)


def moments(count: int) -> list[float]:
    dice = random.Random(count)
    return [dice.uniform(0.2, 3) for _ in range(count)]


def test_nobody_at_the_door_notices(redis, tmp_path, share):
    people, seconds = share.of(ci=200, full=1000), share.of(ci=60, full=300)
    with installed(tmp_path, REDIS_URL=redis.url, **PLACE) as installation:
        town = Town(installation)
        calm = Crowd()
        calm.come(list(range(1001, 1001 + AT_ONCE)), town.signs_up, at_once=AT_ONCE, stop_at_error=True)
        assert not calm.errors
        crowd = broker_goes(redis, town, people, seconds)
        assert not crowd.errors
        assert len(crowd.served) == people
        drained = until(lambda: not town.ask(WAITING), "all is worked off", seconds=DRAINED)
        with redis.silent():
            crowd.come([people + 5 + n for n in range(AT_ONCE)], town.signs_up, at_once=AT_ONCE, stop_at_error=False)
        assert not crowd.errors
        assert crowd.slowest <= 2 * calm.slowest + LONGER
        until(lambda: not town.ask(WAITING), "all is worked off", seconds=DRAINED)
        assert town.ask("SELECT count(*) FROM membership_term") == people // 10
        installation.manage("check_invariants", seconds=LONG)
        heard = [broker_stumbles(redis, town, moment) for moment in moments(share.of(ci=8, full=80))]
    print(f"{people} sign-ups, slowest page {crowd.slowest:.1f} s, drained in {drained:.1f} s; {max(heard):.1f} s deaf")


def test_twin_a_bell_that_is_not_protected_is_noticed(redis, tmp_path):
    off = {"REDIS_URL": redis.url, "DJANGO_SETTINGS_MODULE": "tests.storms.unprotected_settings"}
    with installed(tmp_path, "--only", "web", **off, **PLACE) as installation:
        crowd = broker_goes(redis, Town(installation), 20, 0, stop_at_error=True)
        assert crowd.errors
