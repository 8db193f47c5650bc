"""Fresh: a copy of a row that a process may trust for at most a second, so that a revoked key is refused within one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

SECONDS = 1.0
MOST = 10_000

_all: list[Fresh[Any, Any]] = []


class Fresh[K: Hashable, V]:
    """Values by key, loaded again once they are older than SECONDS. None is not kept: what is new counts at once."""

    def __init__(self) -> None:
        self._kept: dict[K, tuple[float, V]] = {}
        _all.append(self)

    def get(self, key: K, load: Callable[[], V]) -> V:
        now = time.monotonic()
        if (kept := self.kept(key)) is not None:
            return kept
        value = load()
        if value is None:
            self._kept.pop(key, None)
            return value
        if len(self._kept) >= MOST:
            self._kept.clear()
        self._kept[key] = (now, value)  # the time before the load: what changed during it is seen a second later
        return value

    def kept(self, key: K) -> V | None:
        """The value if there is one that may still be trusted."""
        kept = self._kept.get(key)
        return kept[1] if kept is not None and time.monotonic() - kept[0] < SECONDS else None

    def forget(self) -> None:
        self._kept.clear()


def forget_all() -> None:
    """For whoever changed the catalogue in this process, and for tests."""
    for fresh in _all:
        fresh.forget()
