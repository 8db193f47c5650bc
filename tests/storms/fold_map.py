"""Every order without playing each: the states that folding can reach, and where each read leads from each of them.

A fold reads the database, the read it is given and the clock, and nothing else. So two orders that have led to the same
database go on alike, and it is enough to fold each read once in each state that any order can reach. The clock stands
still and chance is taken out; then a state is known again by every row of every table of the product, none left out.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction

from billing import sync
from membership import clock as product_clock
from membership.models import Membership
from membership.models import cards as card_rows
from tests.storms.conftest import forget_what_processes_remember

AT = datetime(2026, 1, 1, tzinfo=UTC)  # wall time, while orders are folded
State = bytes


@contextlib.contextmanager
def without_chance() -> Iterator[None]:
    """Wall time stands still, and a new card's id is always the same: the same fold in the same state does the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(product_clock, "wall", lambda: AT)
        patch.setattr(card_rows.secrets, "token_bytes", lambda length: bytes(range(length)))
        yield


def everything() -> State:
    """Every row of the product's tables, in short."""
    told = hashlib.sha256()
    with connection.cursor() as cursor:
        for table in _tables():
            cursor.execute(f'SELECT * FROM "{table}" ORDER BY 1')
            if rows := cursor.fetchall():
                told.update(repr((table, rows)).encode())
    return told.digest()


def _tables() -> list[str]:
    ours = [m for m in apps.get_models() if m.__module__.split(".")[0] in ("membership", "perks", "billing")]
    return sorted(m._meta.db_table for m in ours if not m.__module__.startswith("billing.emulator"))


def fold(membership: Membership, read: sync.Read) -> None:
    forget_what_processes_remember()
    sync._fold(membership, read, sync.ACTOR)


@dataclass
class Map:
    """`leads[state][n]`: the state after folding read n; `told[state]`: what is compared of it."""

    start: State
    leads: dict[State, list[State]] = field(default_factory=dict)
    told: dict[State, Any] = field(default_factory=dict)

    def after(self, order: list[int]) -> State:
        state = self.start
        for n in order:
            state = self.leads[state][n]
        return state

    def first_order_with_another_end(self, expected: Any) -> list[int] | None:
        """The shortest order, duplicates or not, that has every read in it and does not end as expected."""
        everyone = frozenset(range(len(self.leads[self.start])))
        waiting: deque[tuple[State, frozenset[int], list[int]]] = deque([(self.start, frozenset(), [])])
        met = {(self.start, frozenset[int]())}
        while waiting:
            state, folded, order = waiting.popleft()
            if folded == everyone and self.told[state] != expected:
                return order
            for n, after in enumerate(self.leads[state]):
                place = (after, folded | {n})
                if place not in met:
                    met.add(place)
                    waiting.append((*place, [*order, n]))
        return None


def explored(membership: Membership, reads: list[sync.Read], told: Any) -> Map:
    """Fold each read in each state that can be reached. `told()` gives what is to be compared of the present one."""
    made = Map(everything())

    def visit(state: State) -> None:
        made.told[state], made.leads[state] = told(), []
        for read in reads:
            with transaction.atomic():
                fold(membership, read)
                after = everything()
                made.leads[state].append(after)
                if after not in made.told:
                    visit(after)
                transaction.set_rollback(True)

    visit(made.start)
    return made


def orders(reads: int, most: int = 3) -> int:
    """How many orders there are in which each of so many reads comes once, or up to `most` times."""
    every = product(range(1, most + 1), repeat=reads)
    return sum(math.factorial(sum(times)) // math.prod(map(math.factorial, times)) for times in every)
