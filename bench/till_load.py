"""How long a till waits under a steady load. `python -m bench.till_load [--rate 500] [--webhooks 20] [--seconds 20]`

An open loop asks for perk checks at `--rate` a second, whether or not those before were answered; signed webhooks come
in at `--webhooks` a second; a worker folds them. Beside it, in the same run and with the same generator, the same rate
at `bare` (bench/rivals/bare.py): what this machine makes of a route that does nothing. Told are milliseconds from the
moment at which a request was due. The goal is a p99 of at most 25 ms; on a machine that does other work, read the
distance to bare.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import stripe

from bench import perks
from bench.rig import place, steady

if TYPE_CHECKING:
    from collections.abc import Iterator

GOAL = 25.0  # milliseconds, p99
SECRET = "whsec_bench"  # noqa: S105 (of a place that is thrown away)
MEMBERS = 10_000
SHARES = (0.5, 0.9, 0.99, 0.999)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=500)
    parser.add_argument("--webhooks", type=float, default=20)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--database", nargs="+", choices=place.DATABASES, default=list(place.DATABASES))
    options = parser.parse_args()
    results = {database: _measured(database, options) for database in options.database}
    return _tell(results, options)


def _measured(database: str, options: argparse.Namespace) -> dict[str, Any]:
    """-> milliseconds by share of the answers, at bare and at the till."""
    with perks.installation(database, MEMBERS) as (environment, facts), ExitStack() as stack:
        environment |= {"STRIPE_WEBHOOK_SECRET": SECRET}
        servers = {
            name: stack.enter_context(perks.running(name, perks.FIRST_PORT + n, environment, facts))
            for n, name in enumerate(("bare", "till"))
        }
        stack.enter_context(_worker(environment))
        requests = perks.questions(facts, perks.TWO)
        found: dict[str, Any] = {}
        for name, server in servers.items():
            steady.run(server.port, itertools.cycle(requests), rate=options.rate / 5, seconds=2, connections=8)
            with _webhooks(servers["till"].port, options.webhooks) as taken:
                told = steady.run(
                    server.port, itertools.cycle(requests), rate=options.rate, seconds=options.seconds, connections=64
                )
            found[name] = {f"p{share * 100:g}": round(steady.percentile(told, share), 1) for share in SHARES}
            found[name] |= {"answers": len(told), "not 200": sum(t.status != 200 for t in told), "webhooks": len(taken)}
    return found


@contextmanager
def _worker(environment: dict[str, str]) -> Iterator[None]:
    command = [sys.executable, "manage.py", "up", "--only", "worker"]
    process = subprocess.Popen(  # noqa: S603 (our own words)
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        time.sleep(5)  # until it listens
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


@contextmanager
def _webhooks(port: int, rate: float) -> Iterator[list[str]]:
    """Signed events at the door, so many a second. -> those that were taken."""
    over, taken = threading.Event(), []  # type: tuple[threading.Event, list[str]]

    def come() -> None:
        began = time.monotonic()
        for number in itertools.count():
            if over.wait(max(0.0, began + number / rate - time.monotonic())):
                return
            taken.extend(_post(port, f"evt_{began}_{number}"))

    thread = threading.Thread(target=come)
    thread.start()
    try:
        yield taken
    finally:
        over.set()
        thread.join()


def _post(port: int, name: str) -> list[str]:
    event = {"id": name, "object": "event", "type": "charge.succeeded", "livemode": False}
    body = json.dumps(event | {"data": {"object": {"id": f"ch_{name}", "object": "charge"}}})
    signed = stripe.WebhookSignature.generate_signature_header(body, SECRET)
    headers = {"Content-Type": "application/json", "Stripe-Signature": signed}
    asked = urllib.request.Request(f"http://127.0.0.1:{port}/webhooks/stripe/", body.encode(), headers)
    try:
        with urllib.request.urlopen(asked, timeout=30):  # noqa: S310
            return [name]
    except OSError:  # refused, or no answer
        return []


def _tell(results: dict[str, Any], options: argparse.Namespace) -> int:
    out, good = sys.stdout.write, True
    out(json.dumps({"till_load": results, "rate": options.rate, **place.conditions()}) + "\n\n")
    out(f"milliseconds at {options.rate:g} checks and {options.webhooks:g} webhooks a second, open loop\n")
    for database, found in results.items():
        for name, figures in found.items():
            out(f"  {database:<9}{name:<6}" + "".join(f"{key} {value:<9}" for key, value in figures.items()) + "\n")
        met = found["till"]["p99"] <= GOAL and not found["till"]["not 200"]
        good = good and met
        out(f"  {database}: p99 at the till, goal {GOAL:g} ms: {'met' if met else 'MISSED'}\n")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
