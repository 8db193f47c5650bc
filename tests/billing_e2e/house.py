"""The product with its local Stripe for the scenarios: prepared, running, and gone afterwards."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Self

from tests.processes import ROOT, free_port, surroundings

READY = 90.0  # seconds, on a busy machine


class House:
    """`with House(folder) as house:` prepares databases and prices, starts web, worker and deliveries."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        self.folder, self.url = folder, f"http://localhost:{port}"
        self.environment = surroundings(
            DJANGO_SETTINGS_MODULE="tests.billing_e2e.settings",
            PORT=str(port),
            VIP_DATA=str(folder),
            VIP_MODE="demo",
        )
        self.api_key = ""
        self.names: dict[str, str] = {}

    def __enter__(self) -> Self:
        told = json.loads(self._run("-m", "tests.billing_e2e.prepare"))
        self.api_key, self.names = told["api_key"], told["vars"]
        self.log = (self.folder / "up.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "up"],
            cwd=ROOT,
            env=self.environment,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )
        self._wait()
        return self

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.log.close()

    def manage(self, *command: str) -> int:
        """One of the product's commands; its exit code."""
        return subprocess.run(
            [sys.executable, "manage.py", *command], cwd=ROOT, env=self.environment, timeout=300, check=False
        ).returncode

    def tail(self) -> str:
        """The last of what its processes have said."""
        return (self.folder / "up.log").read_text(encoding="utf-8", errors="replace")[-6000:]

    def _run(self, *command: str) -> str:
        return subprocess.check_output(
            [sys.executable, *command], cwd=ROOT, env=self.environment, text=True, timeout=300
        )

    def _wait(self) -> None:
        began = time.monotonic()
        while time.monotonic() - began < READY:
            assert self.process.poll() is None, f"it ended:\n{self.tail()}"
            try:
                with urllib.request.urlopen(f"{self.url}/healthz", timeout=5):
                    return
            except OSError:
                time.sleep(0.2)
        raise AssertionError(f"not ready after {READY:g} s:\n{self.tail()}")
