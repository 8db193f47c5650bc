"""Renewals folded per second, beside code that believes the event. `python -m bench.renewals [--members 30]`

Members join by the real pages; a year later the local Stripe charges them all and tells by signed events. Measured is
the worker's part, the inbox being swept until nothing is due:

- ours: for each event the subscription is read again with its invoices and charges, and folded in one transaction
  (mirrors, term, grants, entitlement, receipt, next notices, timeline, audit)
- reads: the same calls to the local Stripe and nothing else, as often as the events ask for them
- believes: each paid event's own period is written as a term and its end on the membership, by the ORM, in one
  transaction; nothing read again, no receipt, nothing that survives a second or an older event
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from bench.rig import place

if TYPE_CHECKING:
    from collections.abc import Callable

SEED = 7


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=30)
    parser.add_argument("--database", nargs="+", choices=place.DATABASES, default=list(place.DATABASES))
    options = parser.parse_args()
    results = place.measured_in_each("bench.renewals", options.database, {"members": options.members})
    tell(results)
    return 0


def inside(options: dict[str, int]) -> dict[str, Any]:
    """In a place of its own: a year is lived, then its renewals are worked off three ways."""
    import django

    django.setup()
    from membership import clock

    events = renewed(options["members"])
    paid = [event for event in events if event.type == "invoice.paid"]
    seconds = {"believes": timed(lambda: believed(paid)), "reads": timed(lambda: read_again(events))}
    queries = counting()
    seconds["ours"] = timed(lambda: swept(clock.now()))
    check(options["members"])
    renewals = options["members"]
    told: dict[str, Any] = {f"{name}_per_second": round(renewals / spent, 1) for name, spent in seconds.items()}
    told |= {"renewals": renewals, "events": len(events), "queries_a_renewal": round(len(queries) / renewals)}
    return told


def renewed(members: int) -> list[Any]:
    """All joined a year ago and were charged just now. -> the events of it, stored and not worked off yet."""
    from datetime import UTC, datetime
    from urllib.parse import urlsplit

    from django.conf import settings
    from django.test import Client

    from billing import gateway, inbox
    from billing.emulator import delivery, timeline
    from billing.models import StripeEvent
    from billing.rehearsal import stage
    from billing.rehearsal.people import Person
    from membership import clock
    from membership.models import Membership

    start = datetime(2026, 3, 2, 10, tzinfo=UTC)
    stage.prepare(start=start)
    browser = Client(headers={"host": urlsplit(settings.BASE_URL).netloc})

    def post(url: str, body: bytes, headers: dict[str, str], /) -> int:
        kept = {name: value for name, value in headers.items() if name != "Content-Type"}
        return browser.post(urlsplit(url).path, body, content_type="application/json", headers=kept).status_code

    with gateway.patient():
        dice = random.Random(SEED)  # noqa: S311
        for number in range(members):
            Person(number, dice, plan="gold-year").joins()
        for moment in (start, start + timedelta(days=365, hours=6)):
            swept(clock.now())
            clock.turn_to(moment)
            timeline.catch_up()
            delivery.Driver(post).run("in_order", SEED)
    if Membership.objects.filter(status="active").count() != members:
        raise SystemExit("not all joined")
    inbox.sweep(at=start)  # what came of joining; what is due now is the renewals'
    return list(StripeEvent.objects.filter(done_at=None).order_by("pk"))


def timed(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def swept(at: Any) -> None:
    from billing import gateway, inbox

    with gateway.patient():
        while inbox.sweep(at=at):
            pass


def read_again(events: list[Any]) -> None:
    """What sync asks for, an event."""
    from billing import gateway, ledger

    stripe = gateway.client().v1
    with gateway.patient():
        for event in events:
            told = event.payload["data"]["object"]
            subscription = told["id"]
            if told["object"] == "invoice":
                found = gateway.read(stripe.invoices.retrieve, told["id"])
                subscription = found["parent"]["subscription_details"]["subscription"]
            if not str(subscription).startswith("sub_"):
                continue
            asked = {"subscription": subscription, "expand": ledger.EXPAND}
            ledger.read(gateway.read_all(stripe.invoices.list, asked)[::-1])
            gateway.read(stripe.subscriptions.retrieve, subscription)


def believed(events: list[Any]) -> None:
    """In a transaction an event, each rolled back afterwards: the renewals must still be there for ours."""
    from django.db import transaction

    with transaction.atomic():
        for event in events:
            with transaction.atomic():
                _believe(event.payload["data"]["object"])
        transaction.set_rollback(True)


def _believe(invoice: dict[str, Any]) -> None:
    from billing import gateway
    from billing.models import Subscription
    from membership.models import Term

    line = invoice["lines"]["data"][0]
    subscription = Subscription.objects.get(stripe_id=invoice["parent"]["subscription_details"]["subscription"])
    membership = subscription.membership
    starts_at, ends_at = (gateway.moment(line["period"][name]) for name in ("start", "end"))
    Term.objects.create(
        membership=membership,
        plan=membership.plan,
        source="paid",
        source_ref=line["id"],
        anchor_at=starts_at,
        interval="year",
        ordinal=99,
        starts_at=starts_at,
        ends_at=ends_at,
        recorded_at=starts_at,
    )
    membership.entitled_until = ends_at
    membership.save(update_fields=["entitled_until"])


def counting() -> list[str]:
    """From here on, every statement the product's database is asked."""
    from django.db import connection

    asked: list[str] = []

    def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        asked.append(sql)
        return execute(sql, params, many, context)

    connection.execute_wrappers.append(count)
    return asked


def check(members: int) -> None:
    """All of it happened: two terms each, two receipts each, nothing left to do."""
    from billing.models import StripeEvent
    from membership.models import Message, Term

    seen = (Term.objects.count(), Message.objects.filter(kind="receipt").count())
    if seen != (2 * members, 2 * members) or StripeEvent.objects.filter(done_at=None).exists():
        raise SystemExit(f"terms and receipts {seen}, of {members} members")


def tell(results: dict[str, dict[str, Any]]) -> None:
    out = sys.stdout.write
    out(json.dumps({"renewals": results, **place.conditions()}) + "\n\n")
    out(f"{'renewals per second':<14}{'believes':>10}{'reads':>8}{'ours':>8}{'of believes':>13}{'of reads':>10}\n")
    for database, told in results.items():
        believes, reads, ours = (told[f"{name}_per_second"] for name in ("believes", "reads", "ours"))
        out(f"{database:<19}{believes:>10}{reads:>8}{ours:>8}{ours / believes:>13.3f}{ours / reads:>10.2f}\n")
        out(f"  {told['events'] / told['renewals']:.1f} events and {told['queries_a_renewal']} queries a renewal\n")


place.started(__name__, main=main, inside=inside)
