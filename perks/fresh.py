"""Fresh: a copy of a row that a process may trust for at most a second, so that a revoked key is refused within one.

A copy is renewed before its second is over, by one of those who ask; the others go on with it. Renewed only once it was
over, it would be loaded by every thread at once, second by second, and all who ask meanwhile would wait
(docs/performance.md).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

SECONDS = 1.0
AHEAD = 0.6  # seconds: from this age on a copy is renewed, so loading it may take the rest of the second
MOST = 10_000

_all: list[Fresh[Any, Any]] = []


@dataclass(frozen=True, slots=True)
class Copy[V]:
    """`asked`: the moment before it was loaded (time.monotonic()), for what changed meanwhile is not in it."""

    value: V
    asked: float
    turn: list[None] = field(default_factory=lambda: [None])  # whoever takes what is in it renews this copy

    def is_mine_to_renew(self) -> bool:
        """True for exactly one of all threads that ask: a list's pop is one step."""
        try:
            self.turn.pop()
        except IndexError:
            return False
        return True


class Fresh[K: Hashable, V]:
    """Values by key, never older than SECONDS. None is not kept: what is new counts at once."""

    def __init__(self) -> None:
        self._kept: dict[K, Copy[V]] = {}
        _all.append(self)

    def get(self, key: K, load: Callable[[], V]) -> V:
        kept = self.kept(key, load)
        return self._load(key, load) if kept is None else kept

    def kept(self, key: K, load: Callable[[], V]) -> V | None:
        """The value if there is one that may be trusted. `load` renews it when that is due, and never makes a first."""
        kept = self._kept.get(key)
        age = SECONDS if kept is None else time.monotonic() - kept.asked
        if kept is None or age >= SECONDS:
            return None
        if age >= AHEAD and kept.is_mine_to_renew():
            return self._load(key, load)
        return kept.value

    def _load(self, key: K, load: Callable[[], V]) -> V:
        asked = time.monotonic()
        value = load()
        if value is None:
            self._kept.pop(key, None)
            return value
        if len(self._kept) >= MOST:
            self._kept.clear()
        self._kept[key] = Copy(value, asked)
        return value

    def forget(self) -> None:
        self._kept.clear()


def forget_all() -> None:
    """For whoever changed the catalogue in this process, and for tests."""
    for fresh in _all:
        fresh.forget()
