"""The cache of an installation with Redis. It outlives Redis: while that is away, each process remembers by itself.

Only allauth's rate limits live here, and a door must not fail because nobody counts: without Redis each process
counts for itself, and what holds across processes is counted in the database (limits.py).
"""

from __future__ import annotations

import logging
from time import monotonic
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis import RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

log = logging.getLogger("vip.cache")

PATIENCE = 1.0  # seconds: a page waits behind it
AWAY = 10.0  # seconds after a failure in which it is not asked again


class RedisOrOwnMemory(BaseCache):
    """Django's cache in Redis; after a failure, for AWAY seconds one in this process."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        waits = {"socket_connect_timeout": PATIENCE, "socket_timeout": PATIENCE, "retry": Retry(NoBackoff(), 0)}
        self._shared = RedisCache(server, params | {"OPTIONS": waits | params.get("OPTIONS", {})})
        self._own = LocMemCache("while redis is away", params)
        self._away_until = 0.0

    def _ask(self, act: str, *args: Any, **kwargs: Any) -> Any:
        if monotonic() >= self._away_until:
            try:
                return getattr(self._shared, act)(*args, **kwargs)
            except (RedisError, OSError) as error:
                self._away_until = monotonic() + AWAY
                log.warning("the cache is away: %s", type(error).__name__)
        return getattr(self._own, act)(*args, **kwargs)

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return bool(self._ask("add", key, value, timeout, version))

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self._ask("get", key, default, version)

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        self._ask("set", key, value, timeout, version)

    def touch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return bool(self._ask("touch", key, timeout, version))

    def delete(self, key: Any, version: int | None = None) -> bool:
        return bool(self._ask("delete", key, version))

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        return int(self._ask("incr", key, delta, version))

    def clear(self) -> None:
        self._ask("clear")
