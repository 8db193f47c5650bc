"""The till under load: perk checks at a steady rate while webhooks stream in and members are refunded, disputed,
suspended, and their cards blocked. Nobody is refused or forgotten, and no yes is older than a second.

Real processes: web, worker, beat and local Stripe under `manage.py up`. How long an answer takes depends on the
machine and is measured in bench/till_load.py; here it is only told. Twin: a web process that remembers whom it found.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from bench.rig import steady
from tests.processes import Installation, installed, until
from tests.storms.crowd import LONG, PLACE
from tests.storms.test_postgres_restarts import postgres  # noqa: F401 (a fixture)
from tests.storms.till import KINDS, SECRET, Till

pytestmark = [pytest.mark.storm, pytest.mark.processes]
MEMBERS = 48
RATE, WEBHOOKS = 100.0, 20.0  # a second
KNOWN_WITHIN = 1.0  # seconds
WRITTEN = 120.0  # seconds, on a machine that does much else


class Place:
    """An installation on one database, and what that database holds."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder

    @contextmanager
    def installed(self, *what: str, **more: str) -> Iterator[Installation]:
        ours = {"STRIPE_WEBHOOK_SECRET": SECRET} | ({"DATABASE_URL": self.url} if self.url else {})
        with installed(self.folder, *what, **ours, **more, **PLACE) as installation:
            yield installation

    def column(self, question: str) -> set[str]:
        if self.url:
            with psycopg.connect(self.url) as connection:
                return {row[0] for row in connection.execute(question)}
        with closing(sqlite3.connect(self.folder / "data" / "vip.sqlite3", timeout=20)) as connection:
            return {row[0] for row in connection.execute(question)}


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    url = request.getfixturevalue("postgres").url if request.param == "postgres" else ""
    return Place(url, tmp_path)


def storm(till: Till, *, seconds: float, rate: float = RATE) -> list[steady.Told]:
    """-> every answer. Raises AssertionError where one is missing, an error, a wrong no, or a yes that is too old."""
    with till.opened(), till.meanwhile(seconds=seconds, events_a_second=WEBHOOKS):
        told = till.ask(rate=rate, seconds=seconds)
    assert len(told) == int(rate * seconds)
    assert {answer.status for answer in told} == {200}
    assert not till.refused
    assert not till.denied_wrongly(told)
    assert till.asked_after(told) == set(KINDS)
    stale = till.stale(told, known_within=KNOWN_WITHIN)
    assert not stale, f"{len(stale)} answers were too old: {stale[:3]}"
    return told


def nothing_is_lost(column: Callable[[str], set[str]], till: Till, told: list[steady.Told]) -> None:
    checks = {json.loads(answer.body)["id"] for answer in told}
    assert len(checks) == len(told)
    until(lambda: checks <= column("SELECT id FROM perks_decision"), "every decision is kept", seconds=WRITTEN)
    assert till.events <= column("SELECT stripe_id FROM billing_stripeevent")
    waiting = "SELECT stripe_id FROM billing_stripeevent WHERE done_at IS NULL AND parked_reason = ''"
    until(lambda: not till.events & column(waiting), "every webhook is worked off", seconds=WRITTEN)


def test_no_yes_at_the_till_is_older_than_a_second(place, share):
    seconds = share.of(ci=60, full=600)
    with place.installed() as installation:
        till = Till(installation, MEMBERS)
        told = storm(till, seconds=seconds)
        nothing_is_lost(place.column, till, told)
        installation.manage("check_invariants", seconds=LONG)
    shares = ", ".join(f"p{share * 100:g} {steady.percentile(told, share):.0f} ms" for share in (0.5, 0.99))
    print(f"{len(told)} checks, {len(till.events)} webhooks, {len(till.stops)} members stopped; {shares}")


def test_twin_a_till_that_remembers_whom_it_found_lets_them_in(tmp_path):
    place = Place("", tmp_path)
    off = {"DJANGO_SETTINGS_MODULE": "tests.storms.remembering_settings"}
    with place.installed("--only", "web", **off) as installation, pytest.raises(AssertionError, match="too old"):
        storm(Till(installation, MEMBERS), seconds=12)
