"""The console at 10k, 100k and 1M members: the one box, a member's page and Today, as a clerk's browser asks for them.

    python -m bench.console [--sizes 10000 100000 1000000] [--due 1000] [--database sqlite postgres]

Through Django's own test client, so all but the network: session, role, queries, template. Members have names, some of
them very common, addresses, numbers and ids of Stripe; one in ten has used a perk on an order, and been asked about. Of
each kind that waits on Today there are `--due`. Told are the median and the slowest of ROUNDS, and the queries: of a
"search" as a whole page, and of what is "found" without one. Beside them what one writes first: `icontains` over joined
tables, every row of a story, every queue counted out.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from typing import TYPE_CHECKING, Any

from bench.rig import memberships, place

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from django.test import Client

SIZES = [10_000, 100_000, 1_000_000]
ROUNDS, NAIVE_ROUNDS = 25, 3
GOAL = 50.0  # milliseconds of a search, at a million
FIRST_NAMES = ["anna", "jan", "ada", "bram", "cleo", "elif", "femke", "greta", "hugo", "ines", "joris", "kim", "noor"]
LAST_NAMES = ["jansen", "lindqvist", "de wit", "bakker", "okafor", "visser", "yilmaz", "novak", "rossi", "moreau"]
STORY = 400  # entries of whoever has been a member for ten years


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--due", type=int, default=1_000)
    parser.add_argument("--database", nargs="+", choices=place.DATABASES, default=list(place.DATABASES))
    options = parser.parse_args()
    results: dict[str, dict[int, Any]] = {database: {} for database in options.database}
    for size in sorted(options.sizes):
        asked = {"size": size, "due": options.due}
        for database, told in place.measured_in_each("bench.console", options.database, asked).items():
            results[database][size] = told
    return tell(results)


def inside(options: dict[str, Any]) -> dict[str, Any]:
    """In a place of its own: fill it, then ask every page."""
    import django

    django.setup()
    from django.core.management import call_command

    from membership import clock
    from membership.bootstrap import data_folder
    from membership.celery import app

    call_command("migrate", verbosity=0)
    data_folder.collect_static()
    app.conf.update(broker_url="memory://")
    at = clock.now().replace(microsecond=0)
    started = time.perf_counter()
    size = options["size"]
    memberships.fill(size, options["due"], at)
    _is_found_by(size, at)
    _has_a_story(1, at)
    told: dict[str, Any] = {"load_seconds": round(time.perf_counter() - started)}
    for name, (ask, naive) in _pages(_clerk(at), size, at).items():
        told[name] = _measured(ask) | ({"naive": _median(naive, NAIVE_ROUNDS)} if naive else {})
    return told


def _is_found_by(size: int, at: datetime) -> None:
    """Search keys as the product keeps them; one member in ten with an order and a perk check."""
    from django.db import transaction

    from bench.rig.crowd import hurry, many, moment, named, settle
    from membership.models import Member, SearchKey
    from perks.models import Decision, Redemption, Shop

    first, last = _one_of(FIRST_NAMES, "n.i", 20), _one_of(LAST_NAMES, "n.i / 3", 50)
    kinds, kept = SearchKey.Kind, iter(range(10))
    shop = Shop.objects.create(name="Bench", created_at=at)
    use = Redemption(
        shop=shop, status="committed", period="term", currency="EUR", worth=495, cost=300, effect={}, lines={}
    )
    hurry()
    with transaction.atomic():
        Member.objects.update(name="Ada Lovelace")

        def keys(kind: str, value: str) -> None:
            ids = f"{next(kept)} * 10000000 + n.i"
            many(SearchKey(kind=kind), 1, size, id=ids, member_id="n.i", value=value)

        keys(kinds.NAME, first)
        keys(kinds.NAME, last)
        keys(kinds.NAME, f"{first} || ' ' || {last}")
        keys(kinds.EMAIL, f"{first} || '.' || n.i || '@bench.example'")
        keys(kinds.NUMBER, "CAST(1000000000 + n.i AS varchar(10))")
        keys(kinds.STRIPE, named("cus_"))
        keys(kinds.STRIPE, named("sub_"))
        ago = moment(at, "-(n.i % 30000000)")
        of_it = {"member_id": "n.i * 10", "grant_id": "n.i"}
        many(use, 1, size // 10, **of_it, order_ref=named("L"), ident=named("red_"), idempotency_key=named("k"),
             held_at=ago, expires_at=ago, committed_at=ago)  # fmt: skip
        check = Decision(shop=shop, question="{}", answer="{}")
        many(check, 1, size // 10, id=f"'chk_' || {_padded('n.i', 22)}", member_id="n.i * 10", decided_at=ago)
    settle()


def _one_of(words: list[str], index: str, common: int) -> str:
    """An expression: one of the words; every `common`th row has the first of them besides."""
    from django.db import connection

    listed, place = json.dumps(words), f"(({index}) * 7919) % {len(words)}"
    place = f"CASE WHEN n.i % {common} = 0 THEN 0 ELSE {place} END"
    if connection.vendor == "postgresql":
        return f"(CAST('{listed}' AS jsonb) ->> CAST({place} AS int))"
    return f"json_extract('{listed}', '$[' || ({place}) || ']')"


def _padded(number: str, width: int) -> str:
    from django.db import connection

    if connection.vendor == "postgresql":
        return f"lpad(CAST({number} AS text), {width}, '0')"
    return f"printf('%0{width}d', {number})"


def _has_a_story(member: int, at: datetime) -> None:
    """Ten years of one member: what was done, by whom, and the letters about it."""
    from datetime import timedelta

    from membership.models import Message, TimelineEntry

    days = [at - timedelta(days=9 * number) for number in range(STORY)]
    TimelineEntry.objects.bulk_create(
        TimelineEntry(member_id=member, at=day, kind="card.reissue", actor="system", data={}) for day in days
    )
    letter = {"kind": "receipt", "to": "ada@bench.example", "language": "en", "subject": "Your receipt", "text": "."}
    Message.objects.bulk_create(
        Message(key=f"old:{number}", member_id=member, written_at=day, due_at=day, done_at=day, **letter)
        for number, day in enumerate(days[::3])
    )


def _clerk(at: datetime) -> Client:
    from django.test import Client

    from membership.models import Staff, User

    user = User.objects.create(email="clerk@bench.example", password="!")  # noqa: S106
    Staff.objects.create(user=user, role="manager", name="Vik Rao", granted_at=at)
    client = Client(SERVER_NAME="localhost")
    client.force_login(user, "allauth.account.auth_backends.AuthenticationBackend")
    return client


def _pages(client: Client, size: int, at: datetime) -> dict[str, tuple[Callable[[int], object], Any]]:
    """Each question by its name: how the browser asks it for the n-th time, and the naive way, if there is one."""
    from django.db.models import Q

    from membership import search
    from membership.console import queues
    from membership.models import Member, Membership, Message, TimelineEntry

    def box(words: Callable[[int], str]) -> Callable[[int], object]:
        return lambda number: client.get("/console/", {"q": words(number)})

    def searched(words: Callable[[int], str]) -> Callable[[int], object]:
        def ask(number: int) -> object:
            text = words(number)
            by = Q(search_keys__value__icontains=text) | Q(user__email__icontains=text) | Q(number__icontains=text)
            return list(Member.objects.filter(by).distinct().order_by("name")[:25])

        return ask

    def whole_story(number: int) -> object:
        """Every row, and each membership with its facts: an ordinary admin page with inlines."""
        held = [list(one.terms.all()) for one in Membership.objects.filter(member_id=1)]
        return held, list(TimelineEntry.objects.filter(member_id=1)), list(Message.objects.filter(member_id=1))

    def counted_out(number: int) -> object:
        return [waiting(at).count() for queue in queues._queues.values() for waiting, _tell in queue.sources]

    def some(number: int) -> int:
        return 1 + (number * 7919 * 31) % size

    def page(path: str) -> Callable[[int], object]:
        return lambda number: client.get(path)

    typed = {
        "name, very common": lambda n: "jansen",
        "name, first letters": lambda n: ("lin", "yil", "oka", "mor")[n % 4],
        "two parts of a name": lambda n: ("ada lind", "cleo wit", "hugo ros")[n % 3],
        "e-mail": lambda n: f"ada.{some(n)}@bench.example",
        "e-mail, its beginning": lambda n: f"bram.{some(n) // 100}",
        "member number": lambda n: str(1_000_000_000 + some(n)),
        "order": lambda n: f"L{1 + some(n) // 11}",
        "id of Stripe": lambda n: f"cus_{some(n)}",
        "perk check": lambda n: f"chk_{1 + some(n) // 11:022d}",
        "nobody": lambda n: f"qqq{n}",
    }
    naive = {"name, very common", "e-mail", "nobody"}
    asked: dict[str, tuple[Callable[[int], object], Any]] = {
        f"search: {name}": (box(words), searched(words) if name in naive else None) for name, words in typed.items()
    }
    for name, words in typed.items():
        asked[f"found: {name}"] = (lambda n, words=words: search.find(words(n)), None)
    asked["page: an ordinary member"] = (lambda n: client.get(f"/console/members/{1_000_000_000 + some(n)}/"), None)
    asked["page: ten years of story"] = (page("/console/members/1000000001/"), whole_story)
    asked["today"] = (page("/console/"), counted_out)
    asked["today: a full queue"] = (page("/console/queues/stuck/"), None)
    for report in ("members", "retention"):
        asked[f"report: {report}"] = (page(f"/console/health/{report}/"), None)
    return asked


def _measured(ask: Callable[[int], Any]) -> dict[str, float]:
    from django.db import connection

    answer = ask(0)  # warm, and right
    assert getattr(answer, "status_code", 200) in {200, 302}, answer
    queries: list[str] = []

    def note(execute: Any, sql: str, *rest: Any) -> Any:
        queries.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        ask(1)
    started, times = time.perf_counter(), []
    for number in range(2, 2 + ROUNDS):
        began = time.perf_counter()
        ask(number)
        times.append((time.perf_counter() - began) * 1000)
        if time.perf_counter() - started > 60 and len(times) >= NAIVE_ROUNDS:  # a report may be slow
            break
    return {"median": round(statistics.median(times), 1), "slowest": round(max(times), 1), "queries": len(queries)}


def _median(ask: Callable[[int], object], rounds: int) -> float:
    times = []
    for number in range(rounds):
        began = time.perf_counter()
        ask(number)
        times.append((time.perf_counter() - began) * 1000)
    return round(statistics.median(times), 1)


def tell(results: dict[str, dict[int, Any]]) -> int:
    out, met = sys.stdout.write, True
    out(json.dumps({"console": results, **place.conditions()}) + "\n")
    for database, sizes in results.items():
        out(f"\n{database}: milliseconds of a whole request, median / slowest of {ROUNDS}; queries; naive beside it\n")
        out(f"{'':<28}" + "".join(f"{size:>18,}" for size in sizes) + f"{'queries':>9}{'naive':>10}\n")
        largest = sizes[max(sizes)]
        for name in (key for key in largest if key != "load_seconds"):
            shown = (f"{told[name]['median']:.1f} / {told[name]['slowest']:.1f}" for told in sizes.values())
            missed = name.startswith("search") and largest[name]["median"] > GOAL
            met = met and not missed
            out(f"{name:<28}" + "".join(f"{one:>18}" for one in shown) + f"{largest[name]['queries']:>9}")
            out(f"{largest[name].get('naive', ''):>10}{' MISSED' if missed else ''}\n")
        out(f"{'seconds to load':<28}" + "".join(f"{told['load_seconds']:>18}" for told in sizes.values()) + "\n")
    out(f"\na search in {GOAL:.0f} ms: {'met' if met else 'MISSED'}\n")
    return 0 if met else 1


place.started(__name__, main=main, inside=inside)
