"""Faults on demand, for tests: the next matching call meets an error, a broken connection or a rival.

with faults.next_call("POST /v1/checkout/sessions", status=500): ...
with faults.next_call("POST /v1/refunds", lost="answer"): ...      # done, but the caller never hears of it
with faults.next_call("POST /v1/refunds", lost="request"): ...     # never arrived
with faults.next_call("POST /v1/refunds", during=rival): ...       # `rival()` runs while the call is in flight
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from billing.emulator.errors import NotStarted, StripeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from billing.emulator.wire import Request


class ConnectionBroken(Exception):
    """The caller hears nothing: the request or its answer was lost."""


@dataclass(eq=False)
class Fault:
    line: re.Pattern[str]
    status: int | None = None
    lost: Literal["request", "answer"] | None = None
    during: Callable[[], object] | None = None
    times: int = 1

    def meets(self, request: Request) -> bool:
        return self.times > 0 and self.line.fullmatch(f"{request.verb} {request.path}") is not None


_waiting: list[Fault] = []


@contextlib.contextmanager
def next_call(
    line: str,
    *,
    status: int | None = None,
    lost: Literal["request", "answer"] | None = None,
    during: Callable[[], object] | None = None,
    times: int = 1,
) -> Iterator[Fault]:
    """The next `times` calls of "VERB /v1/path" (a {placeholder} matches any id) meet this fault."""
    pattern = re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(line)))
    fault = Fault(pattern, status, lost, during, times)
    _waiting.append(fault)
    try:
        yield fault
    finally:
        _waiting.remove(fault)


def take(request: Request) -> Fault | None:
    """The fault this call meets, used up once."""
    fault = next((fault for fault in _waiting if fault.meets(request)), None)
    if fault is not None:
        fault.times -= 1
    return fault


def before(fault: Fault | None) -> None:
    """What goes wrong before anything is done. Raises."""
    if fault is None:
        return
    if fault.lost == "request":
        raise ConnectionBroken
    if fault.status == 429:
        raise NotStarted("Request rate limit exceeded.", status=429, code="rate_limit")
    if fault.status is not None:
        raise StripeError("An unknown error occurred.", status=fault.status, kind="api_error")


def in_flight(fault: Fault | None) -> None:
    if fault is not None and fault.during is not None:
        fault.during()


def after(fault: Fault | None) -> None:
    """What goes wrong once all is done. Raises."""
    if fault is not None and fault.lost == "answer":
        raise ConnectionBroken
