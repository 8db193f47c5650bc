"""One call, as the generated methods describe it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from .codec import written


@dataclass(frozen=True, slots=True)
class Call:
    """`safe`: it changes nothing. `repeatable`: sent twice it does no more than once. `body`: None where there is none.

    In `query`, `header` and `body`, what was not said is None.
    """

    operation: str
    method: str
    path: str
    safe: bool
    repeatable: bool
    query: Mapping[str, Any] = field(default_factory=dict)
    header: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None

    @property
    def target(self) -> str:
        """Path and query."""
        query = urlencode(written(self.query))
        return f"{self.path}?{query}" if query else self.path

    @property
    def headers(self) -> dict[str, str]:
        return {name: str(value) for name, value in written(self.header).items()}


def segment(value: str) -> str:
    """A part of a path, whatever is in it."""
    return quote(value, safe="")
