"""Webhooks taken in, beside the same rows written by hand. `python -m bench.webhooks [--rounds 5] [--events 300]`

- door: the product's WSGI application is called as a server calls it: middleware, URL, size, signature, one row stored
  under its unique id, a bell rung (into memory), answered 200
- raw: the same row by one INSERT through the raw cursor, committed; nothing verified, nothing rung

Both in one process on one database, taking turns, with one thread and with eight.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import TYPE_CHECKING, Any

from bench.rig import place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

GOAL = 0.35  # of raw
THREADS = (1, 8)
_serial = count(1)
COLUMNS = "stripe_id, type, object_id, payload, received_at, due_at, attempts, last_error, parked_reason"
RAW = f"INSERT INTO billing_stripeevent ({COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, 0, '', '')"  # noqa: S608


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, default=300, help="of one round")
    parser.add_argument("--database", nargs="+", choices=place.DATABASES, default=list(place.DATABASES))
    options = parser.parse_args()
    asked = {"rounds": options.rounds, "events": options.events}
    results = place.measured_in_each("bench.webhooks", options.database, asked)
    return tell(results)


def inside(options: dict[str, int]) -> dict[str, Any]:
    """In a place of its own: the medians of a number of rounds, the makers taking turns."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    from membership.celery import app

    call_command("migrate", verbosity=0)
    app.conf.update(broker_url="memory://")
    application = get_wsgi_application()
    makers = {"raw": raw, "door": lambda event: door(application, event)}
    rates: dict[str, list[float]] = {f"{name}_{threads}": [] for threads in THREADS for name in makers}
    for _round in range(options["rounds"] + 1):  # the first one warms up
        for threads in THREADS:
            for name, take in makers.items():
                events = [signed_event() for _event in range(options["events"])]
                rates[f"{name}_{threads}"].append(len(events) / seconds(take, events, threads))
    _same_rows(options)
    return {name: round(statistics.median(found[1:])) for name, found in rates.items()}


def seconds(take: Callable[[Any], None], events: Iterable[Any], threads: int) -> float:
    if threads == 1:
        started = time.perf_counter()
        for event in events:
            take(event)
        return time.perf_counter() - started
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda _n: time.sleep(0.01), range(threads)))  # all are there before the clock runs
        started = time.perf_counter()
        list(pool.map(take, events))
        return time.perf_counter() - started


def signed_event() -> tuple[dict[str, Any], bytes, str]:
    """A renewal's paid invoice as Stripe tells of it, with its signature."""
    from django.conf import settings

    from billing.emulator import delivery

    number = next(_serial)
    line = {"id": f"il_{number}", "object": "line_item", "amount": 11900, "currency": "eur", "description": "Gold"}
    line |= {"period": {"start": 1_772_445_600, "end": 1_803_981_600}, "quantity": 1, "discount_amounts": []}
    invoice = {"id": f"in_{number}", "object": "invoice", "status": "paid", "billing_reason": "subscription_cycle"}
    invoice |= {"customer": f"cus_{number}", "currency": "eur", "total": 11900, "amount_paid": 11900}
    invoice |= {"hosted_invoice_url": "https://invoice.example/" + "x" * 120, "lines": {"data": [line] * 2}}
    invoice |= {"parent": {"subscription_details": {"subscription": f"sub_{number}", "metadata": {}}}, "metadata": {}}
    event = {"id": f"evt_{number}", "object": "event", "type": "invoice.paid", "livemode": False}
    event |= {"created": int(time.time()), "data": {"object": invoice}, "pending_webhooks": 1}
    body = json.dumps(event, indent=2)
    return event, body.encode(), delivery.signature(body, settings.STRIPE_WEBHOOK_SECRETS)


def raw(event: tuple[dict[str, Any], bytes, str]) -> None:
    from django.db import connection

    from membership import clock

    told, body, _signature = event
    now = connection.ops.adapt_datetimefield_value(clock.wall())
    with connection.cursor() as cursor:
        cursor.execute(RAW, [told["id"], told["type"], told["data"]["object"]["id"], body.decode(), now, now])


def door(application: Any, event: tuple[dict[str, Any], bytes, str]) -> None:
    from django.conf import settings

    _told, body, signature = event
    said = []
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/webhooks/stripe/",
        "QUERY_STRING": "",
        "CONTENT_TYPE": "application/json; charset=utf-8",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_HOST": settings.BASE_URL.partition("://")[2],
        "HTTP_STRIPE_SIGNATURE": signature,
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8297",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.url_scheme": "http",
        "wsgi.version": (1, 0),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    answer = application(environ, lambda status, _headers, _exc=None: said.append(status))
    content = b"".join(answer)
    answer.close()
    if said != ["200 OK"]:
        raise SystemExit(f"the door answered {said}: {content[:200]!r}")


def _same_rows(options: dict[str, int]) -> None:
    """What both wrote must be the same kind of row, all of them there, or there is nothing to compare."""
    from billing.models import StripeEvent

    wanted = (options["rounds"] + 1) * options["events"] * len(THREADS) * 2
    waiting = StripeEvent.objects.filter(done_at=None, type="invoice.paid", payload__object="event")
    if waiting.count() != wanted:
        raise SystemExit(f"{waiting.count()} rows were stored, not {wanted}")


def tell(results: dict[str, dict[str, float]]) -> int:
    out, good = sys.stdout.write, True
    out(json.dumps({"webhooks": results, "goal": GOAL, **place.conditions()}) + "\n\n")
    out(f"{'webhooks taken in per second':<34}{'raw SQL':>10}{'the door':>10}{'ratio':>8}\n")
    for database, rates in results.items():
        for threads in THREADS:
            ratio = rates[f"door_{threads}"] / rates[f"raw_{threads}"]
            good = good and ratio >= GOAL
            name = f"{database}, {threads} thread{'s' if threads > 1 else ''}"
            out(f"{name:<34}{rates[f'raw_{threads}']:>10,}{rates[f'door_{threads}']:>10,}{ratio:>8.2f}\n")
    out(f"goal: {GOAL} of raw: {'met' if good else 'MISSED'}\n")
    return 0 if good else 1


place.started(__name__, main=main, inside=inside)
