"""A worker killed with -9 after it claimed the event and before it committed, the return page never opened.

Real processes under the supervisor, once with the broker of files and once with a real redis-server. The worker is
held at the worst moment by nothing of ours: the test takes the locks of the local Stripe's database, so the worker's
question to Stripe waits.
"""

from __future__ import annotations

import contextlib
import fcntl
import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from membership.bootstrap import personas
from membership.bootstrap.visitor import Visitor
from tests.processes import Installation, installed, until

LEASE = 15
WAL_LOCKS = (8, 120)  # how many bytes, and where (SQLite's wal-index format)
ADA = personas.Persona("gold", "Ada Killjoy", "killjoy@example.com", "gold-year")
IN_HAND = """
SELECT count(*) FROM billing_stripeevent
WHERE claimed_until IS NOT NULL AND done_at IS NULL AND type LIKE 'invoice.%'
"""
SWEPT = "SELECT count(*) FROM membership_tick WHERE name = 'work off the inbox'"
PAY = """
from billing.emulator import cards, checkout_pay
entry = checkout_pay.Entry("killjoy@example.com", "Ada", cards.by_number("4242424242424242"), (12, 2049))
assert checkout_pay.pay({session!r}, entry).outcome is checkout_pay.Outcome.PAID
"""


@pytest.fixture(params=["files", "redis"])
def installation(request, tmp_path) -> Iterator[Installation]:
    broker = {"REDIS_URL": request.getfixturevalue("redis").url} if request.param == "redis" else {}
    with installed(tmp_path, WORK_LEASE=str(LEASE), **broker) as running:
        yield running


def workers(installation: Installation) -> list[psutil.Process]:
    found = []
    for process in psutil.Process(installation.supervisor.pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if "celery" in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def signal_workers(installation: Installation, number: signal.Signals) -> None:
    for process in workers(installation):
        with contextlib.suppress(psutil.Error):
            process.send_signal(number)


@contextlib.contextmanager
def stripe_kept_waiting(data: Path) -> Iterator[None]:
    """The local Stripe answers nobody: every lock of its database is ours, those of readers too.

    In WAL mode a writer keeps no reader waiting; the locks are eight bytes of the shared memory's file.
    """
    path = data / "local_stripe.sqlite3"
    with contextlib.closing(sqlite3.connect(path, timeout=20)) as opened, open(f"{path}-shm", "r+b") as shared:
        opened.execute("SELECT count(*) FROM sqlite_master").fetchall()  # while it is open, that file stays
        fcntl.lockf(shared, fcntl.LOCK_EX, *WAL_LOCKS)
        yield


def stop_workers_between_transactions(installation: Installation) -> None:
    """Stop them, but not while they hold our database's lock: then nobody else could write either."""
    while True:
        signal_workers(installation, signal.SIGSTOP)
        with contextlib.closing(
            sqlite3.connect(installation.data / "vip.sqlite3", timeout=1, isolation_level=None)
        ) as probe:
            try:
                probe.execute("BEGIN IMMEDIATE")
                probe.execute("ROLLBACK")
            except sqlite3.OperationalError:
                signal_workers(installation, signal.SIGCONT)
                time.sleep(0.2)
            else:
                return


@pytest.mark.processes
def test_the_next_worker_finishes_what_the_killed_one_held(installation):
    visitor = Visitor(installation.base_url)
    personas.confirm_address(visitor, ADA, personas.sign_up(visitor, ADA))
    session = personas.start_checkout(visitor, "gold-year").path.rstrip("/").split("/")[-1]
    # All of them (one that leads, two that work, beat): one that comes up later would not be stopped below.
    until(lambda: len(workers(installation)) >= 4, "the worker is up")

    stop_workers_between_transactions(installation)
    installation.script(PAY.format(session=session))
    until(lambda: installation.ask("SELECT count(*) FROM billing_stripeevent WHERE type = 'invoice.paid'"), "told")
    assert not installation.ask("SELECT count(*) FROM membership_term")

    with stripe_kept_waiting(installation.data):
        signal_workers(installation, signal.SIGCONT)
        until(lambda: installation.ask(IN_HAND), "an event is in a worker's hands", seconds=40)
        killed = workers(installation)
        signal_workers(installation, signal.SIGKILL)
        psutil.wait_procs(killed, timeout=10)
        assert not installation.ask("SELECT count(*) FROM membership_term")

    until(lambda: installation.ask("SELECT count(*) FROM membership_term"), "a term")
    until(lambda: not installation.ask("SELECT count(*) FROM billing_stripeevent WHERE done_at IS NULL"), "all done")
    until(
        lambda: installation.ask("SELECT count(*) FROM membership_message WHERE kind='welcome' AND done_at NOT NULL"),
        "the welcome is sent",
    )
    assert installation.ask("SELECT count(*) FROM membership_term") == 1
    assert installation.ask("SELECT count(*) FROM membership_message WHERE kind = 'welcome'") == 1
    assert installation.ask("SELECT count(*) FROM membership_message WHERE kind = 'receipt'") == 1
    assert installation.ask("SELECT max(attempts) FROM billing_stripeevent") >= 2  # somebody tried before
    # Beat was killed as well: the sweeps go on, and not only what an event rang for.
    installation.script("from membership.models import Tick; Tick.objects.filter(name='work off the inbox').delete()")
    until(lambda: installation.ask(SWEPT), "beat rings again")
    installation.manage("check_invariants")
