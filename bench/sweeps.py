"""What each sweep costs at 10k, 100k and 1M memberships, with 10,000 rows due: finding and claiming must not grow.

    python -m bench.sweeps [--sizes 10000 100000 1000000] [--due 10000] [--database sqlite postgres] [--plans]

A membership comes with all that gathers about it: account, term, subscription, notices, letters, events, Operations.
Beside those that are well there are `--due` of each kind that waits. For each sweep are told:

- find: milliseconds to find the first batch of what is due, oldest first, as the sweep asks for it
- turn: milliseconds of one whole turn in which every row found is claimed and passed on to a handler that does nothing
- walk: the baseline, one walk through all memberships in the same run: what finding costs without an index

Everything is rolled back between two rounds. `--plans` prints how each database answers.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from unittest import mock

from bench.rig import memberships, place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

SIZES = [10_000, 100_000, 1_000_000]
FINDS, TURNS = 5, 2
FLAT = 2.0  # times the smallest size's find: more has grown
NOISE = 5.0  # milliseconds below which a difference is the machine's


@dataclass(frozen=True)
class Sweep:
    """`find`: the batch it asks for first. `turn`: one ring of it; `stubs`: what would act is replaced by nothing."""

    find: Callable[[datetime], Any]
    turn: Callable[[datetime], object] | None = None
    stubs: dict[str, Any] = field(default_factory=dict)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--due", type=int, default=10_000)
    parser.add_argument("--database", nargs="+", choices=place.DATABASES, default=list(place.DATABASES))
    parser.add_argument("--plans", action="store_true")
    options = parser.parse_args()
    results: dict[str, dict[int, Any]] = {database: {} for database in options.database}
    for size in sorted(options.sizes):
        asked = {"size": size, "due": options.due, "plans": options.plans}
        for database, told in place.measured_in_each("bench.sweeps", options.database, asked).items():
            results[database][size] = told
    return tell(results, options)


def inside(options: dict[str, Any]) -> dict[str, Any]:
    """In a place of its own: fill it, then measure every sweep."""
    import django

    django.setup()
    from django.core.management import call_command

    from membership import clock
    from membership.celery import app

    call_command("migrate", verbosity=0)
    app.conf.update(broker_url="memory://")
    at = clock.now().replace(microsecond=0)
    started = time.perf_counter()
    memberships.fill(options["size"], options["due"], at)
    told: dict[str, Any] = {"load_seconds": round(time.perf_counter() - started), "walk": _walk(at)}
    for name, sweep in every_sweep().items():
        told[name] = _measured(sweep, at)
        if options["plans"]:
            sys.stderr.write(f"\n{name}\n{_plan(sweep.find(at))}\n")
    return told


def every_sweep() -> dict[str, Sweep]:
    """Each sweep of BEAT that looks for rows."""
    from billing import endings, grace, inbox, janitor, misplaced, nets, overdue, reconcile, refunds, running_out
    from billing.models import Notice, ReconcileRun, StripeEvent
    from membership import sweeps, work
    from membership.models import Message

    def drained(rows: Any) -> Sweep:
        return Sweep(
            lambda at: work.due(rows, at=at).values_list("pk", flat=True)[:500],
            lambda at: work.drain(rows, lambda _row: None, at=at),
        )

    def in_turns(name: str, due: Callable[[datetime], Any], limit: int = sweeps.ROWS) -> Sweep:
        return Sweep(
            lambda at: sweeps.waiting(name, due(at), at=at)[:limit],
            lambda at: sweeps.turn(name, due(at), lambda _row: True, at=at, limit=limit),
        )

    return {
        "work off the inbox": drained(StripeEvent.objects.all()),
        "send messages": drained(Message.objects.all()),
        "send notices": drained(Notice.objects.select_related("membership")),
        "try parked events again": Sweep(
            lambda _at: inbox.parked().values_list("pk", flat=True)[:500],
            lambda at: inbox.try_parked_again(at=at),
            {"billing.webhooks.dispatch": lambda _event: None},
        ),
        "look after checkouts": in_turns("look after checkouts", lambda at: nets.pages(at=at), 100),
        "give back": in_turns("give back", lambda _at: misplaced.unfinished()),
        "end at Stripe": in_turns("end at Stripe", lambda _at: endings.unfinished()),
        "pay back": in_turns("pay back", lambda at: refunds.unfinished(at=at)),
        "ask what was not answered": Sweep(
            lambda at: janitor.due(at=at)[:200],
            lambda at: janitor.look_after(at=at),
            {"billing.janitor._end": lambda _operation: ""},
        ),
        "read overdue ones again": Sweep(
            lambda at: overdue.due(at=at)[:100],
            lambda at: overdue.read_again(at=at),
            {"billing.sync.subscription": lambda _id: True},
        ),
        "see out what ran out": in_turns("see out", lambda at: running_out.due(at=at)),
        "end what was not paid": in_turns("end unpaid", lambda at: grace.due(at=at)),
        "end what lives on": in_turns("end what lives on", lambda at: nets.lives_on(at=at)),
        "reconcile (is it time?)": Sweep(
            lambda _at: ReconcileRun.objects.filter(finished_at=None).order_by("pk")[:1],
            lambda at: reconcile.nightly(at=at),
            {"billing.reconcile.go_on": lambda _run, **_: None},
        ),
    }


def _measured(sweep: Sweep, at: datetime) -> dict[str, float]:
    found = 0
    times: dict[str, list[float]] = {"find": [], "turn": []}
    for number in range(FINDS):
        started = time.perf_counter()
        found = len(list(sweep.find(at)))
        times["find"].append((time.perf_counter() - started) * 1000)
        if sweep.turn is not None and number < TURNS:
            with _undone(), _stubbed(sweep.stubs):
                started = time.perf_counter()
                sweep.turn(at)
                times["turn"].append((time.perf_counter() - started) * 1000)
    return {"rows": found, **{name: round(statistics.median(spent), 2) for name, spent in times.items() if spent}}


@contextmanager
def _undone() -> Iterator[None]:
    from django.db import transaction

    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@contextmanager
def _stubbed(stubs: dict[str, Any]) -> Iterator[None]:
    patches = [mock.patch(name, stub) for name, stub in stubs.items()]
    for patch in patches:
        patch.start()
    try:
        yield
    finally:
        for patch in patches:
            patch.stop()


def _walk(at: datetime) -> float:
    """Milliseconds to look at every membership once, since no index knows of its zone."""
    from membership.models import Membership

    times = []
    for _round in range(3):
        started = time.perf_counter()
        Membership.objects.filter(entitled_until__lte=at, status="active").exclude(time_zone="nowhere").count()
        times.append((time.perf_counter() - started) * 1000)
    return round(statistics.median(times), 2)


def _plan(rows: Any) -> str:
    from django.db import connection

    plan = rows.explain()
    return f"{connection.vendor}: {plan}"


def tell(results: dict[str, dict[int, Any]], options: argparse.Namespace) -> int:
    out, flat = sys.stdout.write, True
    out(json.dumps({"sweeps": results, "due": options.due, **place.conditions()}) + "\n")
    for database, sizes in results.items():
        small, large = min(sizes), max(sizes)
        out(f"\n{database}: {options.due:,} due of each kind; milliseconds to find a batch, and of a whole turn\n")
        out(f"{'':<28}{'rows':>6}" + "".join(f"{size:>12,}" for size in sizes) + f"{'growth':>9}{'of a walk':>11}")
        out(f"{'turn':>10}\n")
        for name in (key for key in sizes[small] if key not in {"load_seconds", "walk"}):
            found = [sizes[size][name]["find"] for size in sizes]
            growth = found[-1] / found[0]
            grew = growth > FLAT and found[-1] - found[0] > NOISE
            flat = flat and not grew
            share = found[-1] / sizes[large]["walk"]
            out(f"{name:<28}{sizes[large][name]['rows']:>6}" + "".join(f"{value:>12.1f}" for value in found))
            out(f"{growth:>9.2f}{share:>11.3f}{sizes[large][name].get('turn', 0):>10.0f}{' GROWS' if grew else ''}\n")
        out(f"{'walk (no index)':<34}" + "".join(f"{sizes[size]['walk']:>12.1f}" for size in sizes) + "\n")
        out(f"{'seconds to load':<34}" + "".join(f"{sizes[size]['load_seconds']:>12}" for size in sizes) + "\n")
    out(f"\nflat: {'yes' if flat else 'NO'}\n")
    return 0 if flat else 1


place.started(__name__, main=main, inside=inside)
