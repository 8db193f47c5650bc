"""A process that dies at any point of a member's life: in the end everything is as if nobody had died.

A life is told in chapters. The chapters before are lived once; then the chapter is lived once unharmed, and once more
for each point it passes, dying there. What follows a death is what follows it in the world: the browser is reloaded,
Stripe sends the event again, the next worker sweeps.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from django.core import mail
from django.core.management import call_command

from billing import gateway, operations
from billing.models import Operation
from membership import work
from membership.models import AuditEntry, Membership, Message, Term, TimelineEntry
from tests.billing.conftest import on_sale  # noqa: F401  (a fixture)
from tests.invariants import breached
from tests.storms.crashes import Crash, Points
from tests.storms.world import World, forgotten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.moment import Clock

    Step = Callable[[World], object]

pytestmark = pytest.mark.storm


@dataclass(frozen=True)
class Chapter:
    """Steps before it, lived in peace, and its own: each a browser's request, a round of the post, a worker's turn."""

    before: tuple[Step, ...]
    steps: tuple[Step, ...]
    points: int  # at least so many must be passed: a chapter that became empty proves nothing


def agrees(world: World) -> None:
    world.session = world.agrees("gold-year")


def pays(world: World) -> None:
    world.pays(world.session)


def comes_back(world: World) -> None:
    world.comes_back(world.session)


def post_comes(world: World) -> None:
    world.post.all()


def worker_works(world: World) -> None:
    call_command("tick")


def a_year_passes(world: World) -> None:
    world.passes(days=365, hours=3)


JOINED: tuple[Step, ...] = (agrees, pays, comes_back, post_comes, worker_works)
HEARD: tuple[Step, ...] = (post_comes, worker_works)
CHAPTERS = {
    "joins": Chapter((), JOINED, 90),
    "joins, never comes back": Chapter((), (agrees, pays, *HEARD), 60),
    "cancels": Chapter(JOINED, (World.cancels, *HEARD), 15),
    "stays after all": Chapter((*JOINED, World.cancels, *HEARD), (World.stays, *HEARD), 15),
}


def lived(world: World, steps: tuple[Step, ...], points: Points) -> dict[str, Any]:
    """Live these steps with the points watched, and what follows by itself; then forget it. -> how it ended."""
    start = world.clock.now
    mail.outbox.clear()
    with forgotten():
        with points.watched():
            for step in steps:
                try:
                    step(world)
                except Crash:
                    step(world)
        world.passes(minutes=20)
        world.post.all()
        call_command("tick")
        end = snapshot(world)
    world.clock.move_to(start)
    return end


def snapshot(world: World) -> dict[str, Any]:
    """All that a person, a shop or an accountant could tell apart."""
    ledger = world.ledger()
    facts = ("status", "entitled_until", "renewal_expected", "canceled_at", "ended_at", "end_reason")
    return {
        "memberships": list(Membership.objects.order_by("pk").values_list(*facts)),
        "terms": list(Term.objects.order_by("starts_at").values_list("source", "starts_at", "ends_at", "plan")),
        "mails": Counter(Message.objects.values_list("kind", flat=True)),
        "sent": {m.subject for m in mail.outbox},
        "sent more than twice": [m.subject for m in mail.outbox if mail.outbox.count(m) > 2],
        "unsent": Message.objects.filter(done_at=None).count(),
        "timeline": Counter(TimelineEntry.objects.values_list("kind", flat=True)),
        "audit": Counter(AuditEntry.objects.values_list("verb", flat=True)),
        "unanswered": Operation.objects.filter(state=Operation.State.UNKNOWN).count(),
        "customers": len(ledger["customers"]),
        "invoices": Counter((i["status"], i["amount_paid"]) for i in ledger["invoices"]),
        "subscriptions": Counter(s["status"] for s in ledger["subscriptions"]),
        "breached": breached(),
    }


def deaths(world: World, chapter: Chapter) -> Iterator[tuple[str, dict[str, Any]]]:
    """Die at every point of the chapter. -> the points after which something ended differently, and what."""
    unharmed = Points()
    expected = lived(world, chapter.steps, unharmed)
    assert expected["breached"] == set()
    assert len(unharmed.passed) >= chapter.points
    for point, name in enumerate(unharmed.passed):
        found = lived(world, chapter.steps, Points(point))
        if found != expected:
            yield f"{point}: {name}", {k: (found[k], expected[k]) for k in expected if found[k] != expected[k]}


def begun(chapter: Chapter, clock: Clock) -> World:
    world = World(clock, seed=1)
    for step in chapter.before:
        step(world)
    return world


@pytest.fixture(autouse=True)
def _the_next_worker_waits_for_no_lease(settings) -> None:
    settings.WORK_LEASE = -1


@pytest.mark.parametrize("name", CHAPTERS)
def test_dying_at_any_point_changes_nothing(name, on_sale, clock):  # noqa: F811
    with forgotten():
        assert not dict(deaths(begun(CHAPTERS[name], clock), CHAPTERS[name]))


# --- twins: with a defence off it must fail, or the storm proves nothing ----------------------------------------------


def done_before_it_is_handled(rows: Any, pk: Any, handle: Any, *, at: Any) -> bool:
    """Work as a queue without acknowledgement does it."""
    if not work.due(rows, at=at).filter(pk=pk).update(done_at=at):
        return False
    handle(rows.get(pk=pk))
    return True


def create_under_a_new_key(function: Any, operation: Operation) -> Any:
    """A creating call as the SDK makes it by itself: each try under a random key."""
    made = gateway.call(function, operation.params, {"idempotency_key": uuid4().hex})
    Operation.objects.filter(pk=operation.pk).update(state=Operation.State.DONE, stripe_id=made.id)
    return made


def test_twin_work_that_is_done_before_it_is_handled_is_lost(on_sale, clock, monkeypatch):  # noqa: F811
    monkeypatch.setattr(work, "run_one", done_before_it_is_handled)
    with forgotten():
        chapter = CHAPTERS["joins"]
        assert next(deaths(begun(chapter, clock), chapter), None)


def test_twin_a_new_key_for_each_try_makes_two_of_one(on_sale, clock, monkeypatch):  # noqa: F811
    monkeypatch.setattr(operations, "create", create_under_a_new_key)
    with forgotten():
        chapter = CHAPTERS["joins"]
        assert next(deaths(begun(chapter, clock), chapter), None)
