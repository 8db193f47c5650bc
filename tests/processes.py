"""Real processes for tests: an installation under `manage.py up`, and a redis-server, each on a port of its own."""

from __future__ import annotations

import contextlib
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

from membership.bootstrap import personas
from membership.environment import Environment

ROOT = Path(__file__).parent.parent
DJANGO = "import django; django.setup()\n"
PREPARE = "from membership.bootstrap import demo; demo.prepare()"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def surroundings(**ours: str) -> dict[str, str]:
    """The environment for an installation: the caller's, of which nothing names another installation, and `ours`."""
    names = {name.upper() for name in Environment.model_fields}
    return {name: value for name, value in os.environ.items() if name not in names} | ours


def until(holds: Callable[[], object], what: str, *, seconds: float = 90) -> float:
    """-> after how many seconds it held. Raises AssertionError if it does not in time."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, f"after {seconds:g} s still not: {what}"
        time.sleep(0.1)
    return time.monotonic() - began


@dataclass
class Installation:
    """The programs of `manage.py up`, answering, in a folder and on a port of their own."""

    data: Path
    environment: dict[str, str]
    supervisor: subprocess.Popen[bytes]

    @property
    def base_url(self) -> str:
        return f"http://localhost:{self.environment['PORT']}"

    def manage(self, *command: str, seconds: float = 60) -> None:
        """Run a command of it. Raises CalledProcessError if it fails."""
        python(self.environment, "manage.py", *command, seconds=seconds)

    def script(self, code: str, *, seconds: float = 90) -> None:
        """Run a few lines inside it, in a process of their own."""
        python(self.environment, "-c", DJANGO + code, seconds=seconds)

    def ask(self, question: str, *about: str) -> object:
        """The first column of the first row that its database (SQLite) answers; None: there is no row."""
        with contextlib.closing(sqlite3.connect(self.data / "vip.sqlite3", timeout=20)) as database:
            row = database.execute(question, about).fetchone()
        return row and row[0]


@contextlib.contextmanager
def installed(
    folder: Path, *what: str, prepared: float = 90, answering: float = 45, **more: str
) -> Iterator[Installation]:
    """`manage.py up` with these arguments and variables, prepared and then answering in no more seconds than given."""
    told = {"DJANGO_SETTINGS_MODULE": "membership.settings", "VIP_MODE": "demo", "PORT": str(free_port())}
    environment = surroundings(**told | {"VIP_DATA": str(folder / "data")} | more)
    python(environment, "-c", DJANGO + PREPARE, seconds=prepared)
    with (folder / "up.log").open("wb") as log:
        command = [sys.executable, "manage.py", "up", *what]
        up = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True)
        running = Installation(folder / "data", environment, up)
        try:
            personas.wait_for_web(running.base_url, seconds=answering)
            yield running
        finally:
            up.send_signal(signal.SIGTERM)
            up.wait(30)
            print((folder / "up.log").read_text(errors="replace")[-6000:])  # pytest shows it where a test failed


def python(environment: dict[str, str], *arguments: str, seconds: float) -> None:
    subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, check=True, timeout=seconds)


class Redis:
    """A redis-server of our own, on one port, that can go and come back. That it is not installed is a failure."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("redis-server")
        assert program, "redis-server is not installed: ./run test installs it where it may"
        port = free_port()
        quiet = ["--bind", "127.0.0.1", "--dir", str(folder), "--save", "", "--logfile", str(folder / "redis.log")]
        self.url = f"redis://127.0.0.1:{port}/0"
        self.command = [program, "--port", str(port), *quiet]
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
