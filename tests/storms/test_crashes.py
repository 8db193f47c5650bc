"""A process that dies at any point of a member's life: in the end everything is as if nobody had died."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from billing import gateway, operations
from billing.models import Operation
from membership import card_pdf, work
from tests.billing.conftest import on_sale  # noqa: F401  (a fixture)
from tests.storms.chapters import CHAPTERS, JOINED, Chapter, Found, begun, deaths
from tests.storms.world import forgotten

pytestmark = pytest.mark.storm


@pytest.fixture(autouse=True)
def _the_next_worker_waits_for_no_lease(settings) -> None:
    settings.WORK_LEASE = -1


@pytest.fixture(autouse=True)
def _cards_are_not_drawn(monkeypatch) -> None:
    """Drawing a card passes no point and leaves nothing behind; thousands of them would cost most of the minutes."""
    monkeypatch.setattr(card_pdf, "render", lambda card, *, at: b"%PDF-1.7")


@pytest.fixture(autouse=True)
def _two_tries_of_a_renewal(settings) -> None:
    """Of Stripe's eight the others are the same again."""
    settings.LOCAL_STRIPE = settings.LOCAL_STRIPE | {"RETRIES": (0, 12)}


@pytest.mark.parametrize("name", CHAPTERS)
def test_dying_at_any_point_changes_nothing(name, on_sale, clock, record_property):  # noqa: F811
    found = Found()
    with forgotten():
        for _point in deaths(begun(CHAPTERS[name], clock), CHAPTERS[name], found):
            pass
    print(f"{name}: {found.points} points, {found.deaths} deaths")
    for point, difference in found.differ.items():
        print(point, *difference.items(), sep="\n    ")
    assert not list(found.differ)


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


def first_that_differs(chapter: Chapter, clock: Any) -> str | None:
    with forgotten():
        return next(deaths(begun(chapter, clock), chapter, Found()), None)


def test_twin_work_that_is_done_before_it_is_handled_is_lost(on_sale, clock, monkeypatch):  # noqa: F811
    monkeypatch.setattr(work, "run_one", done_before_it_is_handled)
    assert first_that_differs(Chapter(JOINED[:-1], JOINED[-1:], 10), clock)


def test_twin_a_new_key_for_each_try_makes_two_of_one(on_sale, clock, monkeypatch):  # noqa: F811
    monkeypatch.setattr(operations, "create", create_under_a_new_key)
    assert first_that_differs(Chapter((), JOINED, 10), clock)
