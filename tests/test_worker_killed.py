"""A worker killed with -9 after it claimed the event and before it committed, the return page never opened.

Real processes under the supervisor, once with the broker of files and once with a real redis-server. The worker is
held at the worst moment by nothing of ours: the test takes the locks of the local Stripe's database, so the worker's
question to Stripe waits.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from membership.bootstrap import personas
from membership.bootstrap.visitor import Visitor

ROOT = Path(__file__).parent.parent
LEASE = 15
WAL_LOCKS = (8, 120)  # how many bytes, and where (SQLite's wal-index format)
ADA = personas.Persona("gold", "Ada Killjoy", "killjoy@example.com", "gold-year")
IN_HAND = """
SELECT count(*) FROM billing_stripeevent
WHERE claimed_until IS NOT NULL AND done_at IS NULL AND type LIKE 'invoice.%'
"""
SWEPT = "SELECT count(*) FROM membership_tick WHERE name = 'work off the inbox'"
PREPARE = "from membership.bootstrap import demo; demo.prepare()"
PAY = """
from billing.emulator import cards, checkout_pay
entry = checkout_pay.Entry("killjoy@example.com", "Ada", cards.by_number("4242424242424242"), (12, 2049))
assert checkout_pay.pay({session!r}, entry).outcome is checkout_pay.Outcome.PAID
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def redis_url(tmp_path) -> Iterator[str]:
    program = shutil.which("redis-server")
    assert program, "the test of the broker needs redis-server: ./run test installs it"
    port = free_port()
    server = subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(tmp_path), "--save", ""]
    )
    yield f"redis://127.0.0.1:{port}/0"
    server.terminate()
    server.wait(10)


@dataclass
class Installation:
    """web, worker and local Stripe under `manage.py up`, in a folder and on a port of their own."""

    data: Path
    environment: dict[str, str]
    supervisor: subprocess.Popen[bytes]

    def script(self, code: str) -> None:
        run(self.environment, code)

    def ask(self, question: str) -> int:
        with contextlib.closing(sqlite3.connect(self.data / "vip.sqlite3", timeout=20)) as database:
            return int(database.execute(question).fetchone()[0])

    def workers(self) -> list[psutil.Process]:
        below = psutil.Process(self.supervisor.pid).children(recursive=True)
        found = []
        for process in below:
            with contextlib.suppress(psutil.Error):
                if "celery" in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def signal_workers(self, number: signal.Signals) -> None:
        for process in self.workers():
            with contextlib.suppress(psutil.Error):
                process.send_signal(number)


def run(environment: dict[str, str], code: str) -> None:
    ready = (
        f"import django; django.setup(); {code.strip()}"
        if "\n" not in code.strip()
        else (f"import django; django.setup()\n{code}")
    )
    subprocess.run([sys.executable, "-c", ready], cwd=ROOT, env=environment, check=True, timeout=90)


def until(holds: Callable[[], object], what: str, *, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"after {seconds} s still not: {what}"
        time.sleep(0.1)


@pytest.fixture(params=["files", "redis"])
def installation(request, tmp_path) -> Iterator[Installation]:
    port = free_port()
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("VIP_", "DATABASE_", "REDIS_"))}
    environment |= {
        "DJANGO_SETTINGS_MODULE": "membership.settings",
        "VIP_MODE": "demo",
        "VIP_DATA": str(tmp_path / "data"),
        "PORT": str(port),
        "WORK_LEASE": str(LEASE),
    }
    if request.param == "redis":
        environment["REDIS_URL"] = request.getfixturevalue("redis_url")
    run(environment, PREPARE)
    up = subprocess.Popen([sys.executable, "manage.py", "up"], cwd=ROOT, env=environment, start_new_session=True)
    try:
        personas.wait_for_web(f"http://localhost:{port}")
        yield Installation(tmp_path / "data", environment, up)
    finally:
        up.send_signal(signal.SIGTERM)
        up.wait(30)


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
        installation.signal_workers(signal.SIGSTOP)
        with contextlib.closing(
            sqlite3.connect(installation.data / "vip.sqlite3", timeout=1, isolation_level=None)
        ) as probe:
            try:
                probe.execute("BEGIN IMMEDIATE")
                probe.execute("ROLLBACK")
            except sqlite3.OperationalError:
                installation.signal_workers(signal.SIGCONT)
                time.sleep(0.2)
            else:
                return


@pytest.mark.processes
def test_the_next_worker_finishes_what_the_killed_one_held(installation):
    base_url = f"http://localhost:{installation.environment['PORT']}"
    visitor = Visitor(base_url)
    personas.confirm_address(visitor, ADA, personas.sign_up(visitor, ADA))
    session = personas.start_checkout(visitor, "gold-year").path.rstrip("/").split("/")[-1]
    # All of them (one that leads, two that work, beat): one that comes up later would not be stopped below.
    until(lambda: len(installation.workers()) >= 4, "the worker is up")

    stop_workers_between_transactions(installation)
    installation.script(PAY.format(session=session))
    until(lambda: installation.ask("SELECT count(*) FROM billing_stripeevent WHERE type = 'invoice.paid'"), "told")
    assert not installation.ask("SELECT count(*) FROM membership_term")

    with stripe_kept_waiting(installation.data):
        installation.signal_workers(signal.SIGCONT)
        until(lambda: installation.ask(IN_HAND), "an event is in a worker's hands", seconds=40)
        killed = installation.workers()
        installation.signal_workers(signal.SIGKILL)
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
    subprocess.run(
        [sys.executable, "manage.py", "check_invariants"],
        cwd=ROOT,
        env=installation.environment,
        check=True,
        timeout=60,
    )
