"""One call from its arrival to its answer. Both doors, the in-process client and the HTTP views, end here."""

from __future__ import annotations

import base64
import contextlib
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import OperationalError, transaction

from billing.emulator import contract, expand, faults, idempotency, parameters, routing, test_clocks, timeline
from billing.emulator.errors import NotStarted, StripeError
from billing.emulator.models import Record
from billing.emulator.routers import ALIAS
from billing.emulator.wire import Answer, Call, Request, current

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from billing.emulator.faults import Fault
    from billing.emulator.routing import Handler

API_VERSION_HEADER = "stripe-version"
KEY_PREFIXES = ("sk_test_", "rk_test_")

# Called after a writing call is committed and before its caller hears of it (see delivery.Driver).
before_answer: list[Callable[[], None]] = []


def handle(request: Request) -> Answer:
    """Answer one call. Raises faults.ConnectionBroken when a test asked for that."""
    fault = faults.take(request)
    call: Call | None = None
    try:
        _authorize(request)
        faults.before(fault)
        handler, ids = routing.find(request.verb, request.path) or _no_such_url(request)
        params = parameters.parse(request)
        call = Call(request.path, ids, params, request.idempotency_key)
        with _busy_is_lock_timeout():
            answer = _read(request, call, handler) if request.verb == "GET" else _write(request, call, handler, fault)
    except StripeError as error:
        answer = _refusal(error)
    answer.headers |= _headers(request, call)
    if request.verb != "GET":
        for listener in before_answer:
            listener()
    faults.after(fault)
    return answer


def _authorize(request: Request) -> None:
    given = _key(request.headers.get("authorization", ""))
    if not given:
        raise NotStarted(
            "You did not provide an API key. You need to provide your API key in the Authorization header, using "
            "Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
            status=401,
        )
    if given.startswith(("sk_live_", "rk_live_")):
        raise NotStarted("This is the local Stripe: it takes test keys only, never a live one.", status=401)
    if not given.startswith(KEY_PREFIXES):
        raise NotStarted(f"Invalid API Key provided: {given[:8]}{'*' * 8}", status=401)


def _key(header: str) -> str:
    """The key of `Authorization: Bearer sk_test_...`, or of HTTP Basic with the key as user name (curl -u)."""
    scheme, _, given = header.partition(" ")
    if scheme.lower() != "basic":
        return given.strip()
    try:
        return base64.b64decode(given, validate=True).decode().partition(":")[0]
    except ValueError:
        return ""


def _no_such_url(request: Request) -> tuple[Handler, tuple[str, ...]]:
    raise parameters.unknown_url(request)


def _read(request: Request, call: Call, handler: Handler) -> Answer:
    timeline.catch_up()
    return _shown(request, call, handler(call))


def _write(request: Request, call: Call, handler: Handler, fault: Fault | None) -> Answer:
    if not call.idempotency_key:
        faults.in_flight(fault)
        return _executed(request, call, handler)
    replay = idempotency.claim(request)
    if replay is not None:
        return replay
    try:
        faults.in_flight(fault)
        return _executed(request, call, handler)
    finally:
        idempotency.free(call.idempotency_key)


def _executed(request: Request, call: Call, handler: Handler) -> Answer:
    """The endpoint and the keeping of its answer in one transaction."""
    timeline.catch_up()
    with test_clocks.standing_for(call), transaction.atomic(using=ALIAS):
        try:
            answer = _run(request, call, handler)
        except StripeError as error:
            answer = _refusal(error)
        answer.headers["Request-Id"] = call.request_id
        if call.idempotency_key:
            idempotency.keep(call.idempotency_key, answer)
    return answer


def _run(request: Request, call: Call, handler: Handler) -> Answer:
    kept: StripeError | None = None
    token = current.set(call)
    try:
        with transaction.atomic(using=ALIAS):
            try:
                return _shown(request, call, handler(call))
            except StripeError as error:
                if not error.keeps:
                    raise
                kept = error
        return _refusal(kept)
    finally:
        current.reset(token)


def _shown(request: Request, call: Call, result: Record | dict[str, Any]) -> Answer:
    body = result.data if isinstance(result, Record) else result
    if paths := call.params.get("expand"):
        body = expand.expanded(body, paths)
    if settings.LOCAL_STRIPE.get("CHECK"):
        contract.check_answer(request.verb, request.path, body)
    return Answer.of(200, body)


def _refusal(error: StripeError) -> Answer:
    return Answer.of(error.status, {"error": error.body})


@contextlib.contextmanager
def _busy_is_lock_timeout() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        raise NotStarted(
            "This object cannot be accessed right now because another API request or Stripe process is currently "
            "accessing it. If you see this error intermittently, retry the request.",
            status=429,
            code="lock_timeout",
        ) from error


def _headers(request: Request, call: Call | None) -> dict[str, str]:
    headers = {"Content-Type": "application/json"}
    if call is not None:
        headers["Request-Id"] = call.request_id
    if request.idempotency_key:
        headers["Idempotency-Key"] = request.idempotency_key
    if version := request.headers.get(API_VERSION_HEADER):
        headers["Stripe-Version"] = version
    return headers
