"""The local Stripe's times: the world's (moved in a demo) for objects and events, wall time for signatures.

The real Stripe has one world time, and test clocks beside it. Here the world is the function that
settings.LOCAL_STRIPE["CLOCK"] names, so that in a demo a moved clock moves Stripe with it. While something is done at
a moment of its own (what was due an hour ago, what belongs to a test clock), `now()` is that moment.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime


@dataclass(frozen=True)
class _Moment:
    now: int
    test_clock: str  # the clock whose moment it is, "" for the world's


_standing: ContextVar[_Moment | None] = ContextVar("local_stripe_moment", default=None)


def now() -> int:
    """The time of what is being done, in Unix seconds: of subscriptions, invoices and all that is due."""
    moment = _standing.get()
    return _present() if moment is None else moment.now


def world() -> int:
    """The world's time, in Unix seconds: of events, charges and payment intents, even those of a test clock."""
    moment = _standing.get()
    return _present() if moment is None or moment.test_clock else moment.now


def test_clock() -> str:
    """The test clock on which things are being done; "" in the world."""
    moment = _standing.get()
    return "" if moment is None else moment.test_clock


@contextmanager
def standing_at(now: int, *, test_clock: str = "") -> Iterator[None]:
    """Do something at this moment, of the world or of a test clock."""
    token = _standing.set(_Moment(now, test_clock))
    try:
        yield
    finally:
        _standing.reset(token)


def _present() -> int:
    return int(_source(settings.LOCAL_STRIPE["CLOCK"])().timestamp())


@cache
def _source(name: str) -> Callable[[], datetime]:
    return import_string(name)  # type: ignore[no-any-return]


def wall() -> float:
    """Wall time: what signatures, delivery retries and idempotency keys go by."""
    return time.time()
