"""The gateway to Stripe: the only product module that imports `stripe`.

It makes the client (real, or the local Stripe's in-process one) and turns the SDK's errors into two of ours; calls
that create something go through operations.py. No call is made while a transaction is open: a row lock held across the
network is how a slow Stripe becomes a stopped shop.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import cache
from time import monotonic
from typing import Any, Literal

import stripe
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string
from django.utils.translation import gettext_noop

from billing import account
from membership import clock
from membership.errors import DomainError

log = logging.getLogger("vip.billing")

API_VERSION = "2026-10-28.endive"
Patience = Literal["web", "worker"]
type Row = dict[str, Any]
# Seconds of one try, and how often the SDK tries again. For a page we do that ourselves, within the page's own time.
TIMEOUTS: dict[Patience, tuple[float, int]] = {"web": (5.0, 0), "worker": (10.0, 2)}
PAGE = 11.0  # seconds a page may spend on Stripe, all its calls together
KEY_REFUSED = (stripe.AuthenticationError, stripe.PermissionError)  # rolled or cut down: a fault of ours, to be mended
UNKNOWN_OUTCOME = (stripe.APIConnectionError, stripe.APIError, stripe.RateLimitError, stripe.IdempotencyError)


class StripeUnavailable(DomainError):
    """No answer, or none that settles anything. Nothing is lost: asking again repeats the same call."""

    code = "payments_unavailable"
    status = 503
    message = gettext_noop(
        "The payment service does not answer right now. Nothing was charged; please try again in a moment."
    )


class WrongAccount(StripeUnavailable):
    """The key opens another account or mode than this database belongs to: billing stands still until that is mended.

    Whoever waits on a page reads that payments are unavailable; `details["said"]` and the log tell staff why.
    """


class StripeRefused(DomainError):
    """Stripe answered no. `details["code"]` is its code, `details["said"]` its words: for rows, never for pages."""

    code = "payment_service_refused"
    status = 502
    message = gettext_noop("The payment service refused this. Nothing was charged; please try again, or write to us.")


class CallInsideTransaction(RuntimeError):
    """A call to Stripe was about to be made while a transaction was open: a mistake in our code."""


class ForgedEvent(DomainError):
    code = "signature_invalid"
    status = 400
    message = "The signature does not fit."


_patience: ContextVar[Patience] = ContextVar("patience", default="web")
_page_ends: ContextVar[float | None] = ContextVar("page_ends", default=None)


@contextlib.contextmanager
def patient() -> Iterator[None]:
    """A worker's patience for all calls inside: nobody waits for the page."""
    before = _patience.set("worker")
    try:
        yield
    finally:
        _patience.reset(before)


@contextlib.contextmanager
def page() -> Iterator[None]:
    """One web request: no call is begun inside that could keep its reader waiting for longer than PAGE."""
    before = _page_ends.set(monotonic() + PAGE)
    try:
        yield
    finally:
        _page_ends.reset(before)


def client() -> stripe.StripeClient:
    """The client, as patient as who asks: a web request, or a worker (see `patient`)."""
    return _client(_patience.get())


@cache
def _client(patience: Patience) -> stripe.StripeClient:
    seconds, retries = TIMEOUTS[patience]
    if settings.LOCAL_STRIPE_INSTALLED:
        transport = import_string("billing.emulator.client.InProcessClient")()
    else:
        transport = stripe.RequestsClient(timeout=seconds)
    return stripe.StripeClient(
        settings.STRIPE_SECRET_KEY,
        http_client=transport,
        max_network_retries=retries,
        stripe_version=API_VERSION,
    )


def call[T](function: Callable[..., T], *args: Any) -> T:
    """Call the SDK outside any transaction. Raises StripeUnavailable (WrongAccount too) or StripeRefused."""
    if any(not getattr(block, "_from_testcase", False) for block in connection.atomic_blocks):
        raise CallInsideTransaction(getattr(function, "__qualname__", "stripe"))
    check_account()
    return _ask(function, *args)


def check_account() -> None:
    """See that the key belongs to this database, which costs a call once a process. Raises WrongAccount."""
    said = account.objection(lambda: str(_ask(client().v1.accounts.retrieve_current).id))
    if said:
        log.critical("Billing stands still. %s", said)
        raise WrongAccount(said=said)


def _ask[T](function: Callable[..., T], *args: Any) -> T:
    try:
        return _tried(function, *args)
    except KEY_REFUSED as error:  # says nothing about what was asked, so nothing that was decided may end by it
        log.critical("Stripe does not take our key: %s", type(error).__name__)
        raise StripeUnavailable from error
    except UNKNOWN_OUTCOME as error:
        if isinstance(error.__cause__, SoftTimeLimitExceeded):  # the SDK takes it for a broken connection
            raise error.__cause__ from None
        raise StripeUnavailable from error
    except stripe.StripeError as error:
        raise StripeRefused(code=_code(error), said=str(error)[:400]) from error


def _tried[T](function: Callable[..., T], *args: Any) -> T:
    """Try, and for a page once more where that may help. Creating calls carry our key, so twice is once."""
    if _patience.get() == "worker":
        return function(*args)  # the SDK tries again by itself
    _leave_time_for_a_try()
    try:
        return function(*args)
    except (stripe.APIConnectionError, stripe.APIError):
        _leave_time_for_a_try()
        return function(*args)


def _leave_time_for_a_try() -> None:
    """Raises StripeUnavailable when another try might outlast the page."""
    ends = _page_ends.get()
    if ends is not None and monotonic() + TIMEOUTS["web"][0] > ends:
        raise StripeUnavailable


def read(function: Callable[..., Any], *args: Any) -> dict[str, Any]:
    """Ask Stripe for one object, as plain nested dictionaries."""
    answer: dict[str, Any] = call(function, *args).to_dict()
    if answer.get("livemode", settings.PRODUCTION) is not settings.PRODUCTION:
        raise WrongAccount(said=f"{answer.get('id')} is of the other mode")
    return answer


def read_page(function: Callable[..., Any], params: dict[str, Any], *, after: str = "") -> tuple[list[Row], str]:
    """One page of a list, newest first. -> its rows and the cursor of the next page, "" at the end."""
    cursor = {"starting_after": after} if after else {}
    answer = read(function, {"limit": 100, **params, **cursor})
    rows: list[Row] = answer["data"]
    return rows, rows[-1]["id"] if rows and answer["has_more"] else ""


def read_pages(function: Callable[..., Any], params: dict[str, Any]) -> Iterator[list[Row]]:
    """A list, a page at a time."""
    rows, after = read_page(function, params)
    yield rows
    while after:
        rows, after = read_page(function, params, after=after)
        yield rows


def read_all(function: Callable[..., Any], params: dict[str, Any]) -> list[Row]:
    """A whole list."""
    return [row for rows in read_pages(function, params) for row in rows]


def verified_event(payload: bytes, header: str) -> dict[str, Any]:
    """The event in `payload` if its signature fits one of our secrets, its time both sides of the tolerance, and its
    mode ours. Raises ForgedEvent."""
    if not header.isascii():  # the SDK would compare it and stumble
        raise ForgedEvent
    for secret in settings.STRIPE_WEBHOOK_SECRETS:
        try:
            # Not `construct_event`: it also builds the SDK's objects, which costs more than all the rest of the door.
            stripe.WebhookSignature.verify_header(payload.decode(), header, secret, stripe.Webhook.DEFAULT_TOLERANCE)
            event: dict[str, Any] = json.loads(payload)
        except (stripe.SignatureVerificationError, ValueError):
            continue
        if _signed_at(header) - clock.wall().timestamp() > stripe.Webhook.DEFAULT_TOLERANCE:
            break  # the SDK looks at the past only
        if event.get("livemode") is not settings.PRODUCTION:
            break
        return event
    raise ForgedEvent


def _signed_at(header: str) -> float:
    fields = dict(part.split("=", 1) for part in header.split(",") if "=" in part)
    return float(fields.get("t", "inf"))


def is_missing(refusal: StripeRefused) -> bool:
    """Whether Stripe said that the object does not exist."""
    return refusal.details.get("code") == "resource_missing"


def _code(error: stripe.StripeError) -> str:
    # RateLimitError and IdempotencyError keep their code only inside `error.error`
    return str(getattr(error.error, "code", None) or error.code or "")


# Stripe counts these in hundredths although ISO 4217 gives them no minor unit.
HUNDREDTHS_AT_STRIPE = {"ISK", "UGX"}


def to_stripe(amount: int, currency: str) -> int:
    """Our minor units (ISO 4217) in Stripe's units."""
    return amount * 100 if currency in HUNDREDTHS_AT_STRIPE else amount


def from_stripe(amount: int, currency: str) -> int:
    """Stripe's units in our minor units (ISO 4217)."""
    return amount // 100 if currency in HUNDREDTHS_AT_STRIPE else amount


def moment(seconds: int) -> datetime:
    """Stripe's UTC seconds as an aware moment."""
    return datetime.fromtimestamp(seconds, UTC)


def moment_or_none(seconds: int | None) -> datetime | None:
    """The same where Stripe may leave it out."""
    return None if seconds is None else moment(seconds)
