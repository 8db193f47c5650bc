"""Schemathesis against the perk API: the real application in this process, its own OpenAPI document, every check.

Nothing is drawn by chance but from the seed: the clock stands, ids come from the seed, and nothing is remembered from
run to run. So one seed is one course of requests, and CI cannot fail today on what it passed yesterday.
"""

from __future__ import annotations

import random
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zlib import crc32

import schemathesis
from django.core.cache import cache
from django.core.wsgi import get_wsgi_application
from django.db import connections
from schemathesis import engine
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events
from schemathesis.openapi.checks import RejectedPositiveData
from schemathesis.transport.wsgi import WSGITransport

from perks import as_of, auth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pytest
    from schemathesis.core.failures import Failure

DOCUMENT = "/api/v1/openapi.json"
OFTEN = 0.8  # that a real id is taken where one is asked for
REAL = {  # where which of the real ids belong
    "path.number": "numbers",
    "query.member": "numbers",
    "body.token": "cards",
    "path.check_id": "checks",
    "body.check": "checks",
    "path.redemption_id": "redemptions",
    "body.lines[*].id": "lines",
    "path.confirmation_id": "confirmations",
    "body.code": "codes",
    "path.code": "sales",
    "body.perks[*]": "perks",
    "body.if_joined": "plans",
}
# Refused with 422 although the document allows it, since no schema can say it: what the shop's data must agree with
# (docs: these codes), and what the fields of one request must agree on (these sentences).
BEYOND_ANY_SCHEMA = {"unknown_plan", "not_in_check", "unknown_line", "idempotency_mismatch"}
ACROSS_FIELDS = {
    "every line needs an id of its own",
    "a discount names a line that is not in the basket",
    "name each line once",
}


@dataclass
class Run:
    """What one run saw."""

    requests: int = 0
    answered: dict[str, set[int]] = field(default_factory=dict)  # by operation id
    checks: set[str] = field(default_factory=set)  # that judged at least one answer
    findings: list[str] = field(default_factory=list)

    def reached(self) -> set[str]:
        """The operations that answered a 2xx."""
        return {name for name, statuses in self.answered.items() if any(200 <= s < 300 for s in statuses)}

    def hear(self, event: object) -> None:
        if isinstance(event, events.ScenarioFinished):
            self._scenario(event.recorder)
        elif isinstance(event, events.NonFatalError):
            self.findings.append(f"{event.label}: the run itself stumbled: {event.value!r}")
        elif isinstance(event, events.FatalError):
            raise event.exception

    def _scenario(self, recorder: Any) -> None:
        for ident, exchange in recorder.interactions.items():
            self.requests += 1
            if exchange.response is not None:
                name = recorder.cases[ident].value.operation.definition.raw["operationId"]
                self.answered.setdefault(name, set()).add(exchange.response.status_code)
        for ident, judged in recorder.checks.items():
            for node in judged:
                self.checks.add(node.name)
                if node.failure_info is not None:
                    self.findings.append(_told(recorder, ident, node))


def _told(recorder: Any, ident: str, node: Any) -> str:
    failure, exchange = node.failure_info.failure, recorder.interactions.get(failure_case(node, ident))
    answer = exchange.response.text[:500] if exchange is not None and exchange.response is not None else "nothing"
    return f"{node.name}: {failure.title}. {failure.message}\n{node.failure_info.code_sample[:2000]}\n-> {answer}"


def failure_case(node: Any, ident: str) -> str:
    return node.failure_info.failure.case_id or ident


def configured(*, key: str, ids: dict[str, list[str]], seed: int, examples: int) -> SchemathesisConfig:
    """Every check, every phase; `examples` requests an operation drawn by chance, after the thousand of the phases
    that cover each field and each of its limits."""
    return SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "headers": {"Authorization": f"Bearer {key}"},
            "continue-on-failure": True,
            "max-failures": 1_000_000,
            "dictionaries": {name: {"values": values} for name, values in ids.items()},
            "parameters": {
                place: {"dictionary": name, "probability": OFTEN} for place, name in REAL.items() if name in ids
            },
            "generation": {"max-examples": examples, "no-shrink": True, "database": "none"},
            # These judge how fast values can be made up, so the machine and not the API.
            "suppress-health-check": ["all"],
        }
    )


def _knowing_members(config: SchemathesisConfig) -> Callable[[Any, Any], Any]:
    """Half of the members that checks ask about are there. A dictionary will not do: it would add a second name to a
    member named otherwise, and exactly one is allowed."""
    real = {
        "number": [entry.value for entry in config.dictionaries["numbers"].entries],
        "card": [entry.value for entry in config.dictionaries["cards"].entries],
    }

    def map_body(context: Any, body: Any) -> Any:
        member = body.get("member") if isinstance(body, dict) else None
        for name in set(real) & set(member) if isinstance(member, dict) else ():
            told = member[name]
            chance = crc32(told.encode(errors="replace")) if isinstance(told, str) and len(told) <= 40 else 1
            if chance % 2 == 0:  # what is too long or no text must stay so: it is there to be refused
                member = member | {name: real[name][chance // 2 % len(real[name])]}
                body = body | {"member": member}
        return body

    return map_body


def play(config: SchemathesisConfig, *, only: Iterable[str] = ()) -> Run:
    """One run, over all operations or those named."""
    run = Run()
    with _application() as application:
        schema = schemathesis.openapi.from_wsgi(DOCUMENT, application, config=config)
        schema.hook(filter_failure)
        schema.hook(_knowing_members(config))
        played = schema.include(operation_id=list(only)) if only else schema
        for event in engine.from_schema(played).execute():
            run.hear(event)
    return run


def filter_failure(context: Any, failure: Failure, case: Any, response: Any) -> bool:
    """Keep every failure but one kind of one check: of requests that no schema can tell from good ones."""
    if not isinstance(failure, RejectedPositiveData) or response.status_code != 422:
        return True
    problem = response.json()
    if problem["code"] == "invalid_request":
        return not {error["message"] for error in problem["errors"]} <= ACROSS_FIELDS
    if problem["code"] == "bad_member_clock":  # a moment, but in a year that nobody can mean
        return _in_utc(case.headers["X-Member-Clock"]) in as_of.YEARS
    return problem["code"] not in BEYOND_ANY_SCHEMA


def _in_utc(told: str) -> int:
    """The year, in UTC; 0 where that is before the first or after the last."""
    try:
        return datetime.fromisoformat(told).astimezone(UTC).year
    except OverflowError:
        return 0


class _application:
    """The whole application behind its WSGI door, as one shopper after the other: limits that count the requests of an
    hour would let nothing but 429 be seen. Connections that the tool's threads opened are closed in the end."""

    def __init__(self) -> None:
        self.inner: Callable[..., Any] = get_wsgi_application()
        self.mine = {id(connection) for connection in connections.all()}
        self.opened: dict[int, Any] = {}

    def __enter__(self) -> Callable[..., Any]:
        return self

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        environ["REMOTE_ADDR"] = "127.0.0.1"
        cache.clear()
        auth.forget_guesses()
        try:
            return self.inner(environ, start_response)
        finally:
            for connection in connections.all(initialized_only=True):
                if id(connection) not in self.mine | set(self.opened):
                    connection.inc_thread_sharing()
                    self.opened[id(connection)] = connection

    def __exit__(self, *_: object) -> None:
        for connection in self.opened.values():
            connection.close()


def without_chance(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Ids come from the seed."""
    rng = random.Random(seed)

    def token(size: int | None = None) -> str:
        return urlsafe_b64encode(rng.randbytes(size or 32)).rstrip(b"=").decode()

    monkeypatch.setattr(secrets, "token_urlsafe", token)


def mend_the_tool(monkeypatch: pytest.MonkeyPatch) -> None:
    """Schemathesis 4.32.5: where the check of ignored keys asks a WSGI application again, it hands on settings of
    sockets, which only a call with a session strips. The check then raises TypeError instead of judging."""
    send = WSGITransport.send

    def stripped(self: WSGITransport, case: Any, *, session: Any = None, **kwargs: Any) -> Any:
        for name in ("max_redirects", "verify", "cert", "proxies"):
            kwargs.pop(name, None)
        return send(self, case, session=session, **kwargs)

    monkeypatch.setattr(WSGITransport, "send", stripped)
