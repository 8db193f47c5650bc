"""Chapters of a member's life, to die in: what happens in each, and how all of it is told apart at the end.

The chapters before are lived once, in peace. Then the chapter is lived unharmed, and once more for each point of it at
which a death leaves something else behind, dying there. What follows a death is what follows it in the world: the
browser is reloaded, Stripe sends the event again, the next worker sweeps.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from django.core import mail
from django.core.management import call_command

from billing import reconcile
from billing.models import Dispute, Operation, Payment, Refund
from membership.models import AuditEntry, Membership, Message, Term, TimelineEntry
from tests.invariants import breached
from tests.storms.crashes import Crash, Points
from tests.storms.world import World, forgotten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.moment import Clock

    Step = Callable[[World], object]

FAILS = "pm_card_chargeCustomerFail"
CONFIRM = "/portal/refund/confirm/"
PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Chapter:
    """Steps before it, lived in peace, and its own: each a browser's request, a round of the post, a worker's turn."""

    before: tuple[Step, ...]
    steps: tuple[Step, ...]
    points: int  # at least so many must be passed: a chapter that became empty proves nothing
    nights: bool = False  # whether the night's reconcile is a part of it; elsewhere it would only hide what it mends
    told_first: bool = False  # Stripe may tell of its cancellation before our own call's answer does


# --- the person ------------------------------------------------------------------------------------------------------


def agrees(world: World) -> None:
    world.session = world.agrees("gold-year")


def agrees_to_silver(world: World) -> None:
    world.session = world.agrees("silver-year")


def pays(world: World) -> None:
    world.pays(world.session)


def comes_back(world: World) -> None:
    world.comes_back(world.session)


def asks_what_gold_costs(world: World) -> None:
    world.quote = world.person.post("/portal/change-plan/gold-year/quote/")["Location"]


def takes_gold(world: World) -> None:
    world.person.post(world.quote)


def changes_their_mind(world: World) -> None:
    """Give the password once more, read the quote, confirm it."""
    page = world.person.get(CONFIRM)
    if page.status_code == 302 and "/reauthenticate/" in page["Location"]:
        world.person.post(page["Location"], {"password": PASSWORD, "next": CONFIRM})
        page = world.person.get(CONFIRM)
    mark = re.search(r'name="quote" value="([^"]+)"', page.content.decode())
    if mark:
        world.person.post(CONFIRM, {"quote": mark[1]})


def gets_a_bad_card(world: World) -> None:
    world.gets_a_card(FAILS)


def mends_it(world: World) -> None:
    world.gets_a_card("pm_card_visa")


# --- staff, Stripe, time ---------------------------------------------------------------------------------------------


def staff_give_some_back(world: World) -> None:
    asked = {"basis": "goodwill", "amount": "20.00", "reason": "late parcel", "actor": "staff:3", "yes": True}
    call_command("refund", world.member.number, **asked, stdout=io.StringIO())


def is_won(world: World) -> None:
    world.dispute_is_decided(won=True)


def is_lost(world: World) -> None:
    world.dispute_is_decided(won=False)


def post_comes(world: World) -> None:
    world.post.all()


def worker_works(world: World) -> None:
    call_command("tick")


def later(**time: float) -> Step:
    def time_passes(world: World) -> None:
        world.passes(**time)

    return time_passes


HEARD: tuple[Step, ...] = (post_comes, worker_works)
JOINED: tuple[Step, ...] = (agrees, pays, comes_back, *HEARD)
JOINED_SILVER: tuple[Step, ...] = (agrees_to_silver, pays, comes_back, *HEARD)
A_YEAR: tuple[Step, ...] = (later(days=366), *HEARD)
TOLD_OF_RENEWAL: tuple[Step, ...] = (later(days=331), worker_works, later(days=28), worker_works)
OVERDUE: tuple[Step, ...] = (*JOINED, *TOLD_OF_RENEWAL, gets_a_bad_card, *HEARD, later(days=6, hours=3))
# The second turn sends the letter that the first wrote: in the world they are two seconds apart.
WARNED: tuple[Step, ...] = (later(days=10), *HEARD, worker_works)
OVER: tuple[Step, ...] = (*JOINED, World.cancels, *HEARD, *A_YEAR)
CONTESTED: tuple[Step, ...] = (*JOINED, World.disputes_the_charge, *HEARD)

# `points` is just below what is passed today: a point or two may go with a query saved, a lost chapter may not.
CHAPTERS = {
    "joins": Chapter((), JOINED, 170, nights=True),
    "joins, never comes back": Chapter((), (agrees, pays, *HEARD), 125),
    "cancels": Chapter(JOINED, (World.cancels, *HEARD), 36),
    "stays after all": Chapter((*JOINED, World.cancels, *HEARD), (World.stays, *HEARD), 34),
    "cancels and runs out": Chapter((*JOINED, World.cancels, *HEARD), A_YEAR, 22),
    "joins again": Chapter(OVER, JOINED, 102),
    "is told of the renewal and renews": Chapter(
        JOINED, (*TOLD_OF_RENEWAL, later(days=6, hours=3), *HEARD), 178, nights=True
    ),
    "fails to pay, is warned, mends it": Chapter(OVERDUE, (*HEARD, *WARNED, mends_it, *HEARD), 238),
    "fails to pay until it is over": Chapter((*OVERDUE, *HEARD, *WARNED), (later(days=5), *HEARD), 100),
    "upgrades for the quoted amount": Chapter(JOINED_SILVER, (asks_what_gold_costs, takes_gold, *HEARD), 90),
    "changes their mind": Chapter(JOINED, (changes_their_mind, *HEARD), 100, told_first=True),
    "gets some back from staff": Chapter(JOINED, (staff_give_some_back, *HEARD), 73),
    "contests the charge": Chapter(JOINED, (World.disputes_the_charge, *HEARD), 46),
    "contests and wins": Chapter(CONTESTED, (is_won, *HEARD), 46),
    "contests and loses": Chapter(CONTESTED, (is_lost, *HEARD), 28),
}


# --- to live it, and to die in it ------------------------------------------------------------------------------------


@dataclass
class Found:
    """What came of a chapter: how many points it passes, at how many one died, and what ended otherwise."""

    points: int = 0
    deaths: int = 0
    differ: dict[str, dict[str, Any]] = field(default_factory=dict)


def begun(chapter: Chapter, clock: Clock) -> World:
    world = World(clock, seed=1)
    world.quote = ""
    for step in chapter.before:
        step(world)
    mail.outbox.clear()
    return world


def deaths(world: World, chapter: Chapter, found: Found) -> Iterator[str]:
    """Die wherever it leaves something else behind. -> the points after which something ended differently."""
    with nights_of(chapter):
        yield from _deaths(world, chapter, found)


def _deaths(world: World, chapter: Chapter, found: Found) -> Iterator[str]:
    expected, points = unharmed(world, chapter.steps)
    assert expected["breached"] == set()
    found.points = sum(len(one.passed) for one in points)
    assert found.points >= chapter.points, f"only {found.points} points"
    for number, step in enumerate(chapter.steps):
        for point in points[number].deaths:
            found.deaths += 1
            ended = lived(world, chapter.steps[number:], dies_at=point)
            if ended != expected and not (chapter.told_first and ended == with_a_stage(expected, ended)):
                name = f"step {number} ({getattr(step, '__name__', step)}), {point}: {points[number].passed[point]}"
                found.differ[name] = {k: (ended[k], expected[k]) for k in expected if ended[k] != expected[k]}
                yield name
        step(world)


def with_a_stage(expected: dict[str, Any], ended: dict[str, Any]) -> dict[str, Any]:
    """`expected`, and on the way there the one stage "canceled", whole: with its moment, its story and its record."""
    told, recorded = Counter(["membership.cancel"]), Counter(["cancel"])
    whole = {"timeline": expected["timeline"] + told, "audit": expected["audit"] + recorded}
    return expected | whole | {"canceled": [at for at in ended["canceled"] if at]}


def unharmed(world: World, steps: tuple[Step, ...]) -> tuple[dict[str, Any], list[Points]]:
    """-> how it ends, and the points that each step passes."""
    points = [Points() for _step in steps]
    with as_if_it_had_not_been(world):
        for step, watch in zip(steps, points, strict=True):
            with watch.watched():
                step(world)
        return what_follows(world), points
    raise AssertionError


def lived(world: World, steps: tuple[Step, ...], *, dies_at: int) -> dict[str, Any]:
    """Die in the first of these steps, do it again, live on. -> how it ended."""
    with as_if_it_had_not_been(world):
        try:
            with Points(dies_at).watched():
                steps[0](world)
        except Crash:
            pass
        else:
            raise AssertionError(f"point {dies_at} was not passed this time")
        for step in steps:
            step(world)
        return what_follows(world)
    raise AssertionError


def what_follows(world: World) -> dict[str, Any]:
    """What happens by itself within minutes. -> how things stand then."""
    world.passes(minutes=20)
    world.post.all()
    call_command("tick")
    if world.post.waits():  # of what the worker has just asked, Stripe tells as well
        world.post.all()
        call_command("tick")
    return snapshot(world)


@contextlib.contextmanager
def nights_of(chapter: Chapter) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        if not chapter.nights:
            patch.setattr(reconcile, "nightly", lambda *, at: None)
        yield


class as_if_it_had_not_been:
    """Afterwards everything is as before: both databases, the clock, the browser, the mails."""

    def __init__(self, world: World) -> None:
        self.world = world

    def __enter__(self) -> None:
        world = self.world
        self.before = (world.clock.now, world.session, world.quote, world.person.cookies.copy(), list(mail.outbox))
        self.all = forgotten()
        self.all.__enter__()

    def __exit__(self, *how: Any) -> None:
        self.all.__exit__(*how)
        world = self.world
        now, world.session, world.quote, world.person.cookies, mail.outbox[:] = self.before
        world.clock.move_to(now)


def snapshot(world: World) -> dict[str, Any]:
    """All that a person, a shop or an accountant could tell apart."""
    ledger = world.ledger()
    facts = ("status", "entitled_until", "renewal_expected", "ended_at", "cut_at", "end_reason")
    sent = Counter(letter.extra_headers["Message-ID"] for letter in mail.outbox)
    return {
        "memberships": list(Membership.objects.order_by("pk").values_list(*facts)),
        "canceled": list(Membership.objects.order_by("pk").values_list("canceled_at", flat=True)),
        "terms": list(Term.objects.order_by("starts_at").values_list("source", "starts_at", "ends_at", "plan")),
        "mails": Counter(Message.objects.values_list("kind", flat=True)),
        "sent": len(sent),
        "sent more than twice": [letter for letter, times in sent.items() if times > 2],
        "unsent": Message.objects.filter(done_at=None).count(),
        "timeline": Counter(TimelineEntry.objects.values_list("kind", flat=True)),
        "audit": Counter(AuditEntry.objects.values_list("verb", flat=True)),
        "unanswered": Operation.objects.exclude(state__in=["done", "refused"]).count(),
        "payments": list(Payment.objects.order_by("pk").values_list("captured", "returned", "disputed")),
        "refunds": list(Refund.objects.order_by("pk").values_list("state", "effect", "amount", "basis")),
        "disputes": list(Dispute.objects.order_by("pk").values_list("status", "amount")),
        "customers": len(ledger["customers"]),
        "invoices": Counter((i["status"], i["amount_paid"]) for i in ledger["invoices"]),
        "subscriptions": Counter(s["status"] for s in ledger["subscriptions"]),
        "given back": sorted(r["amount"] for r in ledger["refunds"]),
        "breached": breached(),
    }
