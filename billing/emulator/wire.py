"""What travels: form-encoded requests with bracketed names, JSON answers, a few headers."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

from billing.emulator.errors import unsupported

KEYS = re.compile(r"[^\[\]]+|(?<=\[)(?=\])")


@dataclass(frozen=True)
class Request:
    """One call as it came in; `path` begins with /v1/ and header names are lower-case."""

    verb: str
    path: str
    params: dict[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, verb: str, url: str, headers: Mapping[str, str], body: str) -> Request:
        parts = urlsplit(url)
        path = parts.path[parts.path.find("/v1/") :] if "/v1/" in parts.path else parts.path
        text = "&".join(part for part in (parts.query, body) if part)
        return cls(verb.upper(), path, decode_form(text), {k.lower(): v for k, v in headers.items()})

    @property
    def idempotency_key(self) -> str:
        return self.headers.get("idempotency-key", "") if self.verb == "POST" else ""


@dataclass
class Answer:
    status: int
    body: str
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, status: int, body: Mapping[str, Any]) -> Answer:
        return cls(status, json.dumps(body))


@dataclass(frozen=True)
class Call:
    """A request an endpoint works on: ids from the path, parameters with their types."""

    path: str
    ids: tuple[str, ...]
    params: dict[str, Any]
    idempotency_key: str = ""
    request_id: str = field(default_factory=lambda: "req_" + secrets.token_hex(7))

    @property
    def id(self) -> str:
        return self.ids[0]

    def supports(self, *names: str) -> None:
        """Raises on a parameter that the real Stripe knows and this one would have to ignore."""
        beyond = sorted(set(self.params) - {*names, "expand"})
        if beyond:
            raise unsupported(f"the parameter {beyond[0]} here")


# Whose doing an event is: events carry the request that caused them, and none when time or a page did.
current: ContextVar[Call | None] = ContextVar("local_stripe_call", default=None)


def decode_form(text: str) -> dict[str, Any]:
    """Stripe's form encoding as nested data: a[b]=1&c[0][d]=2&e[]=3 -> {"a": {"b": "1"}, "c": [{"d": "2"}], ...}."""
    root: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        keys = KEYS.findall(name) or [name]
        node: Any = root
        for key, following in zip(keys, [*keys[1:], None], strict=True):
            key = key or str(len(node))
            if following is None:
                node[key] = value
            else:
                node = node.setdefault(key, {})
                if not isinstance(node, dict):  # a=1&a[b]=2 contradicts itself; the first one counts
                    break
    return cast("dict[str, Any]", _with_lists(root))


def _with_lists(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    made = {key: _with_lists(value) for key, value in node.items()}
    return list(made.values()) if made and all(key.isdigit() for key in made) else made
