"""The perk check, measured beside what django-ninja can do at best and beside what one writes first.

    python -m bench.perk_check [--seconds 2] [--rounds 5] [--database sqlite postgres]

Three servers (granian, one worker) answer the same question over HTTP in turn, so that a busy machine is busy for all
of them. Each gives the same answer, which is asserted first. Trust the ratios, and CPU time a request most.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.rig import load, place

if TYPE_CHECKING:
    from collections.abc import Iterator

GOALS = {"sqlite": {"bare": 0.6, "naive": 7.0}, "postgres": {"bare": 0.35, "naive": 7.0}}
APPS = {
    "bare": "bench.rivals.bare:application",
    "naive": "bench.rivals.naive:application",
    "real": "membership.wsgi:application",
}
MEMBERS = 100
CONNECTIONS = 16
THREADS = 4
FIRST_PORT = 8290
LINES = [
    {"id": "1", "sku": "COAT-9", "quantity": 1, "unit_amount": 12900, "categories": ["coats"], "sale": None},
    {"id": "2", "sku": "BOOT-4", "quantity": 2, "unit_amount": 18950, "categories": ["shoes"], "sale": None},
    {"id": "3", "sku": "SCARF-2", "quantity": 1, "unit_amount": 3990, "categories": ["silk"], "sale": None},
]
BASKET = {
    "currency": "EUR",
    "lines": LINES,
    "shipping": {"country": "NL", "method": "standard", "amount": 495},
    "discounts": [],
}


@dataclass(frozen=True)
class Server:
    name: str
    port: int
    pid: int


def main() -> int:
    options = _options()
    results = {}
    for database in options.database:
        with _installation(database) as (environment, facts):
            results[database] = _measure(environment, facts, options)
    _tell(results)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--database", nargs="+", choices=list(GOALS), default=list(GOALS))
    return parser.parse_args()


@contextmanager
def _installation(database: str) -> Iterator[tuple[dict[str, str], dict[str, Any]]]:
    """A folder with a filled database of its own, and the environment that names it."""
    with place.place(database) as found:
        environment = {**found, "VIP_CLOCK": "membership.clock.wall"}
        filled = subprocess.run(  # noqa: S603 (our own words)
            [sys.executable, "-m", "bench.rig.fill", str(MEMBERS)],
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        )
        yield environment, json.loads(filled.stdout)


def _measure(environment: dict[str, str], facts: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    requests = [_request(number, facts["key"]) for number in facts["numbers"]]
    with ExitStack() as stack:
        servers = [
            stack.enter_context(_server(name, FIRST_PORT + n, environment, facts)) for n, name in enumerate(APPS)
        ]
        _same_answer(servers, requests)
        runs: dict[str, list[load.Run]] = {server.name: [] for server in servers}
        for _ in range(options.rounds + 1):  # the first round warms up
            for server in servers:
                seconds = options.seconds if runs[server.name] else min(1, options.seconds)
                runs[server.name].append(
                    load.run(server.port, requests, seconds=seconds, connections=CONNECTIONS, pid=server.pid)
                )
    return {name: _summary(found[1:]) for name, found in runs.items()}


def _request(number: str, key: str) -> bytes:
    perks = ["free-shipping", "standing-discount"]
    question = {"member": {"number": number}, "basket": BASKET, "perks": perks, "channel": "web", "if_joined": None}
    return load.post("/api/v1/perk-checks", json.dumps(question).encode(), key=key)


@contextmanager
def _server(name: str, port: int, environment: dict[str, str], facts: dict[str, Any]) -> Iterator[Server]:
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws", "--http", "1", "--workers", "1"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--blocking-threads", str(THREADS), "--log-level", "error"]
    process = subprocess.Popen(  # noqa: S603 (our own words)
        [*command, APPS[name]], env={**environment, "BENCH_UNTIL": facts["until"]}, stdout=subprocess.DEVNULL
    )
    try:
        _wait_for(port, process)
        if len(os.sched_getaffinity(0)) > 1:
            _pin(process.pid)
        yield Server(name, port, process.pid)
    finally:
        process.terminate()
        process.wait(timeout=10)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(150):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if process.poll() is not None:
                raise RuntimeError(f"the server on port {port} did not start") from None
            time.sleep(0.2)
        else:
            return
    raise RuntimeError(f"the server on port {port} did not answer")


def _pin(pid: int) -> None:
    """Servers on one core, this load generator on another."""
    cores = sorted(os.sched_getaffinity(0))
    for found in load.family(pid):
        for task in Path(f"/proc/{found}/task").iterdir():
            os.sched_setaffinity(int(task.name), {cores[0]})


def _same_answer(servers: list[Server], requests: list[bytes]) -> None:
    answers = []
    for server in servers:
        answer = json.loads(load.once(server.port, requests[0]))
        for differs in ("id", "decided_at", "valid_until"):
            assert answer.pop(differs)
        answers.append(answer)
    assert answers[0] == answers[1] == answers[2], json.dumps(answers, indent=1)


def _summary(runs: list[load.Run]) -> dict[str, float]:
    return {
        "per_second": round(statistics.median(r.per_second for r in runs)),
        "cpu_micros": round(statistics.median(r.cpu_micros for r in runs)),
    }


def _tell(results: dict[str, dict[str, Any]]) -> None:
    out = sys.stdout.write
    out(json.dumps({"perk_check": results}) + "\n\n")
    for database, found in results.items():
        out(f"perk check on {database}, one worker, {CONNECTIONS} connections\n")
        out(f"  {'':<8}{'requests/s':>12}{'CPU µs':>10}\n")
        for name, figures in found.items():
            out(f"  {name:<8}{figures['per_second']:>12,.0f}{figures['cpu_micros']:>10,.0f}\n")
        for beside, goal in GOALS[database].items():
            speed = found["real"]["per_second"] / found[beside]["per_second"]
            cpu = found[beside]["cpu_micros"] / found["real"]["cpu_micros"]
            met = "met" if speed >= goal else "MISSED"
            out(f"  against {beside:<6} {speed:5.2f} × (by CPU time {cpu:.2f} ×), goal {goal} ×: {met}\n")


if __name__ == "__main__":
    sys.exit(main())
