"""The perk check at the till, beside what django-ninja can do at best and beside what one writes first.

    python -m bench.perks [--sizes 10000 100000 1000000] [--seconds 2] [--rounds 5] [--database sqlite postgres]

Four servers (granian, one worker) answer the same question over HTTP in turn, so that a busy machine is busy for all
of them. Each gives the same answer, which is asserted first. Trust the ratios, and CPU time a request most.

- bare: a ninja route with a plain model in and bytes out; no database, no key, no middleware (bench/rivals/bare.py)
- naive: a ninja route with schemas and five ORM queries (bench/rivals/naive.py)
- route: the product without its fast lane
- till: the product as it is served; asked about two perks as the others are, about one, and about all

`python -m bench.till_load` measures the waiting under a steady load.
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

# What, beside what, at least so many times as fast on each database. The first was once asked of the route; since the
# lane stands before it, it is asked of what a shop is served, and the route's own figure is told beside it.
GOALS = [
    ("till", "bare", "goal", {"sqlite": 0.6, "postgres": 0.35}),
    ("till", "naive", "goal", {"sqlite": 7.0, "postgres": 7.0}),
    ("till", "bare", "further goal", {"sqlite": 2.0, "postgres": 0.7}),
    ("route", "bare", "further goal", {"sqlite": 0.6, "postgres": 0.35}),
]
FLAT = 0.1  # so much may the ratio to bare differ between the smallest and the largest size
APPS = {
    "bare": "bench.rivals.bare:application",
    "naive": "bench.rivals.naive:application",
    "route": "membership.wsgi:django",
    "till": "membership.wsgi:application",
}
SIZES = [10_000, 100_000, 1_000_000]
TWO = ["free-shipping", "standing-discount"]
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
    results: dict[str, dict[int, Any]] = {database: {} for database in options.database}
    for database in options.database:
        for size in sorted(options.sizes):
            with installation(database, size) as (environment, facts):
                results[database][size] = _measure(environment, facts, options)
            _tell(database, size, results[database][size])
    sys.stdout.write(json.dumps({"perks": results, **place.conditions()}) + "\n")
    return sum(_flat(database, found) for database, found in results.items())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--database", nargs="+", choices=place.DATABASES, default=list(place.DATABASES))
    return parser.parse_args()


@contextmanager
def installation(database: str, size: int) -> Iterator[tuple[dict[str, str], dict[str, Any]]]:
    """A folder with a filled database of its own, and the environment that names it."""
    with place.place(database) as found:
        environment = {**found, "VIP_CLOCK": "membership.clock.wall"}
        filled = subprocess.run(  # noqa: S603 (our own words)
            [sys.executable, "-m", "bench.rig.fill", str(size)],
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        )
        yield environment, json.loads(filled.stdout)


def _measure(environment: dict[str, str], facts: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    """Medians of the rounds, by maker; of `till` also when it is asked about one perk and about all."""
    with ExitStack() as stack:
        servers = {
            name: stack.enter_context(running(name, FIRST_PORT + n, environment, facts)) for n, name in enumerate(APPS)
        }
        asked = {name: (servers[name], questions(facts, TWO)) for name in APPS}
        asked["one perk"] = (servers["till"], questions(facts, TWO[:1]))
        asked[f"all {len(facts['perks'])}"] = (servers["till"], questions(facts, facts["perks"]))
        _same_answer(list(servers.values()), asked["bare"][1])
        runs: dict[str, list[load.Run]] = {name: [] for name in asked}
        for _ in range(options.rounds + 1):  # the first round warms up
            for name, (server, requests) in asked.items():
                seconds = options.seconds if runs[name] else min(1, options.seconds)
                ran = load.run(server.port, requests, seconds=seconds, connections=CONNECTIONS, pid=server.pid)
                runs[name].append(ran)
    return {name: _summary(found[1:]) for name, found in runs.items()}


def questions(facts: dict[str, Any], perks: list[str]) -> list[bytes]:
    asked = {"basket": BASKET, "perks": perks, "channel": "web", "if_joined": None}
    bodies = (json.dumps({"member": {"number": number}, **asked}).encode() for number in facts["numbers"])
    return [load.post("/api/v1/perk-checks", body, key=facts["key"]) for body in bodies]


@contextmanager
def running(name: str, port: int, environment: dict[str, str], facts: dict[str, Any]) -> Iterator[Server]:
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
        load.once(server.port, requests[0])  # with it the key is known, so that the next one takes the fast lane
        answer = json.loads(load.once(server.port, requests[0]))
        for differs in ("id", "decided_at", "valid_until"):
            assert answer.pop(differs)
        answers.append(answer)
    assert all(answer == answers[0] for answer in answers), json.dumps(answers, indent=1)


def _summary(runs: list[load.Run]) -> dict[str, float]:
    return {
        "per_second": round(statistics.median(r.per_second for r in runs)),
        "cpu_micros": round(statistics.median(r.cpu_micros for r in runs)),
    }


def _tell(database: str, size: int, found: dict[str, dict[str, float]]) -> None:
    out = sys.stdout.write
    out(f"\nperk check on {database}, {size:,} members, one worker, {CONNECTIONS} connections\n")
    out(f"  {'':<9}{'requests/s':>12}{'CPU µs':>10}\n")
    for name, figures in found.items():
        out(f"  {name:<9}{figures['per_second']:>12,.0f}{figures['cpu_micros']:>10,.0f}\n")
    for name, beside, kind, goals in GOALS:
        speed = found[name]["per_second"] / found[beside]["per_second"]
        cpu = found[beside]["cpu_micros"] / found[name]["cpu_micros"]
        met = "met" if speed >= goals[database] else "MISSED"
        out(f"  {name} : {beside:<6} {speed:6.2f} (by CPU time {cpu:.2f}), {kind} {goals[database]}: {met}\n")
    sys.stdout.flush()


def _flat(database: str, by_size: dict[int, dict[str, dict[str, float]]]) -> bool:
    """Whether it grew: the cost of a check beside bare, by CPU time, at the largest size against the smallest."""
    sizes = sorted(by_size)
    small, large = (by_size[s]["till"]["cpu_micros"] / by_size[s]["bare"]["cpu_micros"] for s in (sizes[0], sizes[-1]))
    grew = large / small - 1
    met = "met" if grew <= FLAT else "MISSED"
    sys.stdout.write(
        f"{database}: {sizes[-1]:,} members cost {grew:+.0%} beside {sizes[0]:,}, goal {FLAT:.0%}: {met}\n"
    )
    return grew > FLAT


if __name__ == "__main__":
    sys.exit(main())
