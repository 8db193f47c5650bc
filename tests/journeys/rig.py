"""A real demo for tests: the processes of `./run demo`, with a port and a data folder of their own."""

from __future__ import annotations

import contextlib
import fcntl
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.processes import ROOT, free_port, surroundings

READY = 180.0  # seconds on a busy machine; fresh_clone.py holds it to 60 on an idle one


@dataclass
class Demo:
    """One demo. `start()` returns when it is ready, `stop()` when nothing of it runs any more."""

    folder: Path
    port: int = field(default_factory=free_port)
    environment: dict[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = (sys.executable, "manage.py", "demo")
    cwd: Path = ROOT
    ready: float = READY
    process: subprocess.Popen[bytes] | None = None

    @property
    def base_url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / "demo.log"

    @property
    def facts(self) -> dict[str, Any]:
        """demo.json, as a script would read it."""
        return json.loads((self.folder / "demo.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]

    @property
    def api_key(self) -> str:
        return str(self.facts["api_key"])

    def persona(self, name: str) -> dict[str, Any]:
        return next(member for member in self.facts["members"] if member["persona"] == name)

    def start(self) -> float:
        """Start it; the seconds until it was ready: demo.json written by this start, the home page answering."""
        self.folder.mkdir(parents=True, exist_ok=True)
        began, wall = time.monotonic(), time.time()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=self.cwd, env=self.variables(), stdout=log, stderr=log, start_new_session=True
            )
        while not self._written_since(wall):
            assert self.process.poll() is None, f"the demo ended:\n{self.tail()}"
            assert time.monotonic() - began < self.ready, (
                f"the demo is not ready after {self.ready:g} s:\n{self.tail()}"
            )
            time.sleep(0.1)
        return time.monotonic() - began

    def stop(self, by: signal.Signals = signal.SIGINT) -> int:
        """As Ctrl-C does; its exit code. What still runs afterwards is told by `left_behind`."""
        if self.process is None:
            return 0
        self.process.send_signal(by)
        try:
            return self.process.wait(timeout=30)
        finally:
            self.process.kill()
            self.process = None

    def left_behind(self) -> list[str]:
        """The command lines of processes that still work in this demo's folder."""
        mark = f"VIP_DATA={self.folder}".encode()
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (path / "environ").read_bytes().split(b"\0"):
                    found.append((path / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue  # it ended while we looked, or is not ours
        return found

    def variables(self) -> dict[str, str]:
        """The environment its processes see."""
        return surroundings(PORT=str(self.port), VIP_DATA=str(self.folder)) | self.environment

    def tail(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")[-6000:]

    def _written_since(self, moment: float) -> bool:
        path = self.folder / "demo.json"
        return path.exists() and path.stat().st_mtime >= moment


@contextlib.contextmanager
def running(folder: Path, *, like: Path | None = None, **environment: str) -> Iterator[Demo]:
    """A demo that is ready, going on from a copy of `like` if told; afterwards it stops and leaves nothing behind."""
    if like is not None:
        copy(like, folder)
    demo = Demo(folder=folder, environment=environment)
    try:
        demo.start()
        yield demo
    finally:
        demo.stop()
    assert demo.left_behind() == []


def copy(like: Path, folder: Path) -> None:
    """What a stopped demo keeps, for another to go on from; not its log, nor the broker's folder, which is empty."""
    shutil.copytree(like, folder, ignore=shutil.ignore_patterns("demo.log", "queue"))


def lived(shared: Path) -> Path:
    """The folder of a demo whose people have lived to the present, and that was stopped: to go on from in copies.

    Made once in `shared`, by whichever process asks first, from nothing and on an empty disk as a stranger's is.
    """
    folder, done = shared / "lived", shared / "lived.done"
    with (shared / "lived.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            with running(folder):
                pass
            done.touch()
    return folder
