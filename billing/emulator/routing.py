"""Which function answers which call. Modules announce their endpoints with @endpoint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from billing.emulator.models import Record
from billing.emulator.wire import Call

Handler = Callable[[Call], Record | dict[str, Any]]


class Endpoint(NamedTuple):
    segments: tuple[str, ...]
    handler: Handler


_TABLE: dict[tuple[str, int], list[Endpoint]] = {}


def endpoint(line: str) -> Callable[[Handler], Handler]:
    """@endpoint("POST /v1/customers/{customer}")"""
    verb, path = line.split()
    segments = tuple(path.strip("/").split("/"))

    def announce(handler: Handler) -> Handler:
        row = _TABLE.setdefault((verb, len(segments)), [])
        row.append(Endpoint(segments, handler))
        row.sort(key=lambda one: [segment.startswith("{") for segment in one.segments])  # literal before placeholder
        return handler

    return announce


def find(verb: str, path: str) -> tuple[Handler, tuple[str, ...]] | None:
    """The handler of a call and the ids in its path."""
    given = tuple(path.strip("/").split("/"))
    for known in _TABLE.get((verb, len(given)), ()):
        pairs = list(zip(known.segments, given, strict=True))
        if all(mine == theirs or mine.startswith("{") for mine, theirs in pairs):
            return known.handler, tuple(theirs for mine, theirs in pairs if mine.startswith("{"))
    return None


def announced() -> set[tuple[str, str]]:
    """Every endpoint there is, as verb and path with placeholders."""
    return {(verb, "/" + "/".join(one.segments)) for (verb, _), row in _TABLE.items() for one in row}
