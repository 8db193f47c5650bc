"""The client: asks, repeats what may be repeated while there is time, and says in types what went wrong."""

from __future__ import annotations

import copy
import json
import random
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from . import models
from .call import Call
from .codec import Unreadable, read, written
from .errors import KINDS, FieldProblem, NoAnswer, Refused, TooMany
from .fallback import Decided, Memory, Question
from .operations import Operations
from .transport import Failed, HttpTransport, Received, Sent, Transport

MOST_TRIES = 5
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0  # seconds; doubled each time, and a random part of that is waited
PASSING = frozenset({502, 503, 504})  # from whatever stands between: the next try may find it well
KEY = "Idempotency-Key"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One try of a call, for whoever logs, measures or shows them. The key it was asked with is not in it.

    `answer`: the JSON that came; None where none did, and `trouble` says why. `took`: seconds. `attempt`: from 1.
    """

    operation: str
    method: str
    target: str
    body: Any
    status: int | None
    answer: Any
    trouble: str
    took: float
    attempt: int
    request_id: str


class Client(Operations):
    """A shop's way to the perk API; one for all threads. `api_key`: vip_test_… or vip_live_….

    `seconds`: what a call may take that changes nothing, its repetitions included; `changing_seconds`: any other.
    `language`: of the sentences for shoppers. `on_exchange` is told each try, in the thread that asks; what it raises
    is raised. `memory`: what decide() falls back on; give several clients one to share. `now`: the time of day.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        seconds: float = 1.0,
        changing_seconds: float = 5.0,
        language: str = "en",
        on_exchange: Callable[[Exchange], None] | None = None,
        memory: Memory | None = None,
        transport: Transport | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._api_key, self._language, self._now = api_key, language, now
        self._seconds, self._changing_seconds = seconds, changing_seconds
        self._on_exchange = on_exchange or (lambda exchange: None)
        self.memory = memory or Memory()
        self._transport = transport or HttpTransport(base_url)

    def speaking(self, language: str) -> Self:
        """The same client for a shopper of another language."""
        other = copy.copy(self)
        other._language = language
        return other

    def decide(
        self,
        *,
        member: models.MemberIn | None = None,
        basket: models.Basket | None = None,
        perks: Sequence[str] | None = None,
        channel: str | None = None,
        if_joined: str | None = None,
        seconds: float | None = None,
    ) -> Decided:
        """check_perks() for a checkout that must go on: where no answer comes, what the shop should assume instead.

        That is the answer to this same question while it still holds, else each perk's fail mode as it was last told.
        Raises Refused (but for TooMany): a refusal is an answer, and a fault of the request or the key.
        """
        deadline = time.monotonic() + (self._seconds if seconds is None else seconds)
        asked = Question.of(member, basket, perks, channel, if_joined, self._language)
        try:
            answer = self.check_perks(
                member=member,
                basket=basket,
                perks=perks,
                channel=channel,
                if_joined=if_joined,
                seconds=deadline - time.monotonic(),
            )
        except (NoAnswer, TooMany) as trouble:
            return self.memory.fall_back(asked, trouble, at=self._now())
        self.memory.remember(asked, answer, at=self._now())
        if self.memory.wants_catalogue():
            self.refresh_fail_modes(seconds=deadline - time.monotonic())
        return Decided("answer", answer)

    def refresh_fail_modes(self, *, seconds: float | None = None) -> bool:
        """Learn each perk's fail mode from the catalogue -> whether it could be. decide() does so every ten minutes,
        in what is left of its time; call this at your start, so that nothing is unknown when the API is away."""
        if seconds is not None and seconds <= 0:
            return False
        try:
            self.memory.learn(self.list_perks(seconds=seconds))
        except (NoAnswer, Refused):
            return False
        return True

    def hold_perks(
        self,
        *,
        check: str,
        order: str,
        perks: Sequence[str],
        hold_seconds: int = 1800,
        idempotency_key: str | None = None,
        seconds: float | None = None,
    ) -> models.RedemptionOut:
        """Also forgets the check's answer: it is no longer there to fall back on."""
        held = super().hold_perks(
            check=check,
            order=order,
            perks=perks,
            hold_seconds=hold_seconds,
            idempotency_key=idempotency_key,
            seconds=seconds,
        )
        self.memory.was_used(check)
        return held

    def _ask[T](self, call: Call, answer: type[T], *, seconds: float | None) -> T:
        usual = self._seconds if call.safe else self._changing_seconds
        deadline = time.monotonic() + (usual if seconds is None else seconds)
        request_id = uuid.uuid4().hex
        body = None if call.body is None else written(call.body)
        sent = Sent(
            call.method,
            call.target,
            self._headers(call, request_id, body is not None),
            b"" if body is None and call.method == "POST" else _encoded(body),
            deadline,
        )
        attempt = 0
        while True:
            attempt += 1
            tried = self._try(call, sent, body, attempt, request_id)
            pause = _pause(call, tried, attempt)
            if pause is None or time.monotonic() + pause >= deadline or attempt == MOST_TRIES:
                return _result(call, tried, answer, attempt, request_id)
            time.sleep(pause)

    def _headers(self, call: Call, request_id: str, has_body: bool) -> dict[str, str]:
        headers = {
            "Authorization": f"Bearer {self._api_key}",
            "Accept": "application/json",
            "Accept-Language": self._language,
            "User-Agent": "vip-membership-client/1",
            "X-Request-Id": request_id,
            **call.headers,
        }
        if KEY in call.header:  # one for all tries: whatever became of the first, the next is told the same
            headers.setdefault(KEY, str(uuid.uuid4()))
        if has_body:
            headers["Content-Type"] = "application/json"
        return headers

    def _try(self, call: Call, sent: Sent, body: Any, attempt: int, request_id: str) -> Tried:
        began = time.monotonic()
        try:
            tried = Tried.of(self._transport(sent))
        except Failed as failed:
            tried = Tried(None, None, str(failed), unsent=failed.unsent)
        told = tried.received.status if tried.received else None
        self._on_exchange(
            Exchange(
                call.operation,
                call.method,
                call.target,
                body,
                told,
                tried.document,
                tried.trouble,
                time.monotonic() - began,
                attempt,
                request_id,
            )
        )
        return tried


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one try. `document`: the answer's JSON, None where it is none."""

    received: Received | None
    document: Any
    trouble: str = ""
    unsent: bool = False

    @classmethod
    def of(cls, received: Received) -> Self:
        try:
            return cls(received, json.loads(received.body))
        except ValueError:
            return cls(received, None, f"the answer ({received.status}) is not JSON")

    @property
    def retry_after(self) -> float | None:
        told = self.received.headers.get("retry-after", "") if self.received else ""
        return float(told) if told.isascii() and told.isdigit() else None


def _pause(call: Call, tried: Tried, attempt: int) -> float | None:
    """Seconds until the next try; None: this one counts.

    What was never sent, or refused by a limit, may always be tried again; what may have been done only if it is
    repeatable.
    """
    status = tried.received.status if tried.received else None
    waited = random.uniform(0, min(FIRST_PAUSE * 2**attempt, LONGEST_PAUSE))  # noqa: S311 (nothing secret)
    if status == 429:
        return tried.retry_after
    if (status is None or status in PASSING) and (call.repeatable or tried.unsent):
        return max(waited, tried.retry_after or 0)
    return None


def _result[T](call: Call, tried: Tried, answer: type[T], attempt: int, request_id: str) -> T:
    """The answer as its model, or the error that this try is. Raises Refused, NoAnswer."""
    status = tried.received.status if tried.received else None
    trouble = tried.trouble
    if status is not None and 200 <= status < 300 and not trouble:
        try:
            return read(answer, tried.document)
        except Unreadable as error:
            trouble = f"the answer cannot be read: {error}"
    if status in KINDS and isinstance(tried.document, dict) and "code" in tried.document:
        raise _refusal(call, status, tried, request_id)
    if status == 429:
        raise TooMany(
            operation=call.operation,
            request_id=request_id,
            status=status,
            code="too_many",
            detail=trouble,
            retry_after=tried.retry_after,
        )
    told = trouble or f"answered {status}"
    raise NoAnswer(told, operation=call.operation, request_id=request_id, status=status, tries=attempt)


def _refusal(call: Call, status: int, tried: Tried, request_id: str) -> Refused:
    """From the problem document (RFC 9457)."""
    problem = tried.document
    errors = tuple(FieldProblem(str(e.get("field")), str(e.get("message"))) for e in problem.get("errors") or ())
    return KINDS[status](
        operation=call.operation,
        request_id=request_id,
        status=status,
        code=str(problem["code"]),
        detail=str(problem.get("detail", "")),
        errors=errors,
        retry_after=tried.retry_after,
    )


def _encoded(body: Any) -> bytes | None:
    return None if body is None else json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
