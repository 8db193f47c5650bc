"""Queues: what waits for a person, a question each. Today's page and the left bar ask them; every app registers its own
at start, as it does panels and stories.

A question is cheap by construction: it is answered from an index that holds only what waits, and nobody counts further
than MOST. tests/console/test_queue_plans.py reads the plans.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.db import connection

from membership.roles import Permission, Role

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from django.db.models import QuerySet
    from django.utils.functional import _StrPromise as Words

    from membership.models import Member, Staff

    Waiting = Callable[[datetime], QuerySet[Any]]
    Teller = Callable[[Sequence[Any], datetime], Sequence["Row"]]

MOST = 100  # counted and shown of one queue, the oldest; beyond it there is "100+"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One thing that waits. `act` says what is to be done with it, `url` where; `posts`: the button does it at once,
    which only fits an act that nobody could regret."""

    what: str
    since: datetime
    url: str
    act: str
    member: Member | None = None
    who: str = ""  # where it is not known whose it is: as they called themselves
    note: str = ""
    due: datetime | None = None
    posts: bool = False


@dataclass(kw_only=True)
class Queue:
    """`about` says what waits here and what to do about it; `empty` what it means that nothing does."""

    code: str
    label: Words
    about: Words
    empty: Words
    order: int = 50
    permission: Permission = Permission.SEE
    sources: list[tuple[Waiting, Teller]] = field(default_factory=list)

    def rows(self, at: datetime) -> list[Row]:
        """The MOST that are due first, or have waited longest."""
        told = [row for waiting, tell in self.sources for row in tell(list(waiting(at)[:MOST]), at)]
        return sorted(told, key=lambda row: row.due or row.since)[:MOST]


class Count(int):
    """A number that reads "100+" from there on."""

    def __str__(self) -> str:
        return f"{MOST}+" if self > MOST else int.__repr__(self)


_queues: dict[str, Queue] = {}


def register(queue: Queue) -> Queue:
    """Make a queue known, under its code."""
    assert queue.code not in _queues, queue.code
    _queues[queue.code] = queue
    return queue


def source(code: str, waiting: Waiting) -> Callable[[Teller], Teller]:
    """Register how a queue's rows read: `waiting(at)` is the question, oldest first, the function tells its answers.
    A queue may have several sources, from several apps."""

    def decorate(told: Teller) -> Teller:
        _queues[code].sources.append((waiting, told))
        return told

    return decorate


def of(staff: Staff) -> list[Queue]:
    """The queues that this person may see, in the order of the bar."""
    return sorted((one for one in _queues.values() if staff.may(one.permission)), key=lambda one: one.order)


@dataclass(frozen=True)
class Counted:
    """A queue and how many wait in it."""

    queue: Queue
    count: Count


def counted(staff: Staff, at: datetime) -> list[Counted]:
    """How many wait in each queue that this person may see, as far as anybody counts: one statement for all, because
    every page asks. What has come is counted at once, what only the clock brings with the minute that has begun."""
    seen = of(staff)
    questions = tuple(waiting for one in seen for waiting, _tell in one.sources)
    numbers = iter(_numbers(questions, at.replace(second=0, microsecond=0)))
    return [Counted(one, Count(sum(next(numbers) for _source in one.sources))) for one in seen]


def as_counted(question: QuerySet[Any]) -> QuerySet[Any, Any]:
    """What is asked of a question for its number: as many rows as anybody counts. In its order, which is what leads
    SQLite to the index that holds only what waits."""
    return question.values("pk")[: MOST + 1]


def _numbers(questions: tuple[Waiting, ...], minute: datetime) -> list[int]:
    """How many rows each of them has; MOST + 1 at most."""
    if not questions:
        return []
    with connection.cursor() as cursor:
        cursor.execute(*_statement(questions, minute))
        return list(cursor.fetchone())


@lru_cache(maxsize=len(Role))
def _statement(questions: tuple[Waiting, ...], minute: datetime) -> tuple[str, list[Any]]:
    """The words of it, kept for the minute: to compose a dozen questions takes longer than to answer them."""
    asked = [as_counted(waiting(minute)).query.sql_with_params() for waiting in questions]
    counts = ", ".join(f"(SELECT count(*) FROM ({sql}) AS waiting)" for sql, _params in asked)  # noqa: S608  # the ORM's
    return f"SELECT {counts}", [value for _sql, params in asked for value in params]


def known(code: str) -> Queue:
    return _queues[code]


def named(code: str) -> Queue | None:
    """The queue that an address names, whosever it is; None: there is none."""
    return _queues.get(code)
