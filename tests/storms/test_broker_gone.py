"""Redis is gone while people sign up and pay: nobody at the door notices, and when it is back all is worked off.

Real processes: redis-server, and web, worker, beat and local Stripe under `manage.py up`. First Redis refuses
connections, then it takes them and never answers.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from membership.bootstrap import personas
from tests.storms.installed import Crowd, Person, installed, manage, until
from tests.test_worker_killed import free_port

pytestmark = [pytest.mark.storm, pytest.mark.processes]
AT_ONCE = 4
LONGER = 12.0  # seconds a page may take beside what pages take here anyway
DRAINED = 60.0  # seconds after it is back
CODE = "SELECT subject FROM membership_message WHERE kind = 'account_verify' AND \"to\" = ?"
WAITING = """
SELECT (SELECT count(*) FROM membership_message WHERE done_at IS NULL)
     + (SELECT count(*) FROM billing_stripeevent WHERE done_at IS NULL)
"""


class Redis:
    """A redis-server of our own, on one port, that can go and come back."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("redis-server")
        assert program, "the storm of the broker needs redis-server: ./run test installs it"
        self.port = free_port()
        quiet = ["--bind", "127.0.0.1", "--dir", str(folder), "--save", "", "--logfile", str(folder / "redis.log")]
        self.command = [program, "--port", str(self.port), *quiet]
        self.come()

    def come(self) -> None:
        self.server = subprocess.Popen(self.command)

    def go(self) -> None:
        self.server.send_signal(signal.SIGCONT)
        self.server.terminate()
        self.server.wait(10)

    @contextlib.contextmanager
    def silent(self) -> Iterator[None]:
        """It takes connections and says nothing."""
        self.server.send_signal(signal.SIGSTOP)
        yield
        self.server.send_signal(signal.SIGCONT)


@pytest.fixture
def redis(tmp_path):
    server = Redis(tmp_path)
    yield server
    server.go()


class Town:
    """People at the door of one installation."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.base_url = f"http://localhost:{environment['PORT']}"
        self.database = Path(environment["VIP_DATA"]) / "vip.sqlite3"

    def ask(self, question: str, *about: str) -> object:
        with contextlib.closing(sqlite3.connect(self.database, timeout=20)) as database:
            row = database.execute(question, about).fetchone()
        return row and row[0]

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


def test_nobody_at_the_door_notices(redis, tmp_path, share):
    people, seconds = share.of(ci=200, full=1000), share.of(ci=60, full=300)
    address = f"redis://127.0.0.1:{redis.port}/0"
    with installed(tmp_path, port=free_port(), REDIS_URL=address) as environment:
        town = Town(environment)
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
        manage(environment, "check_invariants")
    print(f"{people} sign-ups, slowest page {crowd.slowest:.1f} s, drained in {drained:.1f} s")


def test_twin_a_bell_that_is_not_protected_is_noticed(redis, tmp_path):
    address = f"redis://127.0.0.1:{redis.port}/0"
    off = "tests.storms.unprotected_settings"
    with installed(
        tmp_path, "--only", "web", port=free_port(), REDIS_URL=address, DJANGO_SETTINGS_MODULE=off
    ) as environment:
        crowd = broker_goes(redis, Town(environment), 20, 0, stop_at_error=True)
        assert crowd.errors
