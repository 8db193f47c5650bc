"""A whole installation for a storm: its own folder, port and programs under `manage.py up`, and people at its door."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from membership.bootstrap import personas
from membership.bootstrap.visitor import Page, Unexpected, Visitor

ROOT = Path(__file__).parent.parent.parent
PREPARE = "import django; django.setup(); from membership.bootstrap import demo; demo.prepare()"
STARTS = 300.0  # seconds a whole installation may take to start, on a machine that does much else


@contextlib.contextmanager
def installed(folder: Path, *what: str, port: int, **more: str) -> Iterator[dict[str, str]]:
    """`manage.py up` with these arguments and variables, answering. -> its environment"""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("VIP_", "DATABASE_", "REDIS_"))}
    environment |= {
        "DJANGO_SETTINGS_MODULE": "membership.settings",
        "VIP_MODE": "demo",
        "VIP_DATA": str(folder / "data"),
        "PORT": str(port),
        "TRUSTED_PROXIES": "1",  # so that each visitor can have an address of their own
        **more,
    }
    with (folder / "up.log").open("wb") as log:
        told = {"cwd": ROOT, "env": environment, "stdout": log, "stderr": log}
        subprocess.run([sys.executable, "-c", PREPARE], check=True, timeout=STARTS, **told)
        command = [sys.executable, "manage.py", "up", *what]
        up = subprocess.Popen(command, start_new_session=True, **told)
        try:
            personas.wait_for_web(f"http://localhost:{port}", seconds=STARTS)
            yield environment
        finally:
            up.send_signal(signal.SIGTERM)
            up.wait(30)


def manage(environment: dict[str, str], *command: str) -> None:
    """Run a command of the installation. Raises CalledProcessError if it fails."""
    subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, env=environment, check=True, timeout=STARTS)


def until(holds: Callable[[], object], what: str, *, seconds: float) -> float:
    """-> after how many seconds it held."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, f"after {seconds:g} s still not: {what}"
        time.sleep(0.1)
    return time.monotonic() - began


class Person(Visitor):
    """A visitor from an address of their own, who notes how long the slowest page took."""

    def __init__(self, base_url: str, number: int) -> None:
        super().__init__(base_url)
        self.opener.addheaders.append(("X-Forwarded-For", f"10.1.{number // 250}.{number % 250 + 1}"))
        self.persona = personas.Persona("none", f"Person {number}", f"person{number}@example.com", None)
        self.slowest = 0.0

    def _ask(self, url: str, data: bytes | None = None) -> Page:
        began = time.monotonic()
        page = super()._ask(url, data)
        self.slowest = max(self.slowest, time.monotonic() - began)
        if page.status >= 400:
            raise Unexpected(f"{page.path} answered {page.status}")
        return page


@dataclass
class Crowd:
    """What many people met at the door: how many were served, what went wrong, how long the slowest page took."""

    served: list[int] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    slowest: float = 0.0

    def come(self, numbers: list[int], serve: Callable[[int], Person], *, at_once: int, stop_at_error: bool) -> None:
        """Serve them, several at once."""
        waiting = iter(numbers)
        lock = threading.Lock()

        def queue() -> None:
            while not (stop_at_error and self.errors):
                with lock:
                    number = next(waiting, None)
                if number is None:
                    return
                try:
                    person = serve(number)
                except (Unexpected, OSError, AssertionError) as problem:
                    self.errors.append(f"{number}: {problem!r}")
                else:
                    self.served.append(number)
                    self.slowest = max(self.slowest, person.slowest)

        threads = [threading.Thread(target=queue) for _ in range(at_once)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def post(url: str, body: bytes, headers: dict[str, str]) -> int:
    """-> the HTTP status; 0: nobody answered."""
    request = urllib.request.Request(url, body, headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=15) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return 0
