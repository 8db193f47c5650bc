"""The local Stripe's two times: the world's (moved in a demo) for objects and events, wall time for signatures.

The real Stripe has one world time, and test clocks beside it. Here the world is the function that
settings.LOCAL_STRIPE["CLOCK"] names, so that in a demo a moved clock moves Stripe with it.
"""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


def now() -> int:
    """The world's time, in Unix seconds."""
    return int(_source(settings.LOCAL_STRIPE["CLOCK"])().timestamp())


@cache
def _source(name: str) -> Callable[[], datetime]:
    return import_string(name)  # type: ignore[no-any-return]


def wall() -> float:
    """Wall time: what signatures, delivery retries and idempotency keys go by."""
    return time.time()
