"""Delivery of events: outbox rows, signed POSTs, retries; and a driver that delivers as badly as the real world.

Retries: after 5 s, then four times as long each time, at most six hours apart, for three days; then the row is failed.
(Stripe: live mode up to three days with exponential back off; the steps are ours.)
"""

from __future__ import annotations

import json
import logging
import random
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import requests
import stripe
from django.db import transaction

from billing.emulator import clock, dispatch, endpoints
from billing.emulator.models import Delivery
from billing.emulator.routers import ALIAS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet

log = logging.getLogger("vip.local_stripe")

FIRST_RETRY, GROWTH, LONGEST_WAIT, GIVES_UP = 5.0, 4, 6 * 3600.0, 3 * 86_400.0  # seconds
TIMEOUT = 10.0


class Post(Protocol):
    """Sends a body; returns the HTTP status. Raises OSError when nobody answers."""

    def __call__(self, url: str, body: bytes, headers: dict[str, str], /) -> int: ...


def http_post(url: str, body: bytes, headers: dict[str, str], /) -> int:
    """A real POST; a redirect is not followed, and so is a failure. Proxies are not for this machine's own ports."""
    with requests.Session() as session:
        session.trust_env = False
        return session.post(url, data=body, headers=headers, timeout=TIMEOUT, allow_redirects=False).status_code


def waiting() -> QuerySet[Delivery]:
    """What is not delivered yet and not given up, oldest first."""
    rows = Delivery.objects.filter(state=Delivery.State.WAITING)
    return rows.select_related("event", "endpoint").order_by("due_at", "id")


def due() -> QuerySet[Delivery]:
    """What waits to be sent by now."""
    return waiting().filter(due_at__lte=clock.wall())


def deliver_due(post: Post = http_post, *, most: int = 100) -> int:
    """One round over what is due. Returns how many were delivered."""
    return sum(deliver(row, post) for row in due()[:most])


def deliver(row: Delivery, post: Post = http_post) -> bool:
    """Send one row and write down what came of it. No lock is held while the other side works."""
    status, error = _send(row, post)
    delivered = status is not None and 200 <= status < 300
    now = clock.wall()
    row.tries += 1
    row.last_status, row.last_error = status, error[:255]
    if delivered:
        row.state = Delivery.State.DELIVERED
    elif row.endpoint.deleted or now - row.first_due_at > GIVES_UP:
        row.state = Delivery.State.FAILED
    else:
        row.due_at = now + min(FIRST_RETRY * GROWTH ** (row.tries - 1), LONGEST_WAIT)
    with transaction.atomic(using=ALIAS):
        row.save()
        if delivered:
            _one_less_pending(row)
    if not delivered:
        log.info("%s not delivered to %s: %s", row.event, row.endpoint.data["url"], status or error)
    return delivered


def send_again(row: Delivery) -> None:
    """Put an event back among what is due, whatever came of it before, as the Dashboard's button does."""
    now = clock.wall()
    with transaction.atomic(using=ALIAS):
        Delivery.objects.filter(pk=row.pk).update(state=Delivery.State.WAITING, first_due_at=now, due_at=now)


def _one_less_pending(row: Delivery) -> None:
    row.event.refresh_from_db()
    row.event.data["pending_webhooks"] = max(0, row.event.data["pending_webhooks"] - 1)
    row.event.save(update_fields=["data"])


def _send(row: Delivery, post: Post) -> tuple[int | None, str]:
    body = json.dumps(row.event.data, indent=2)
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Stripe/1.0 (local)",
        "Stripe-Signature": signature(body, endpoints.signing_secrets(row.endpoint)),
    }
    try:
        return post(row.endpoint.data["url"], body.encode(), headers), ""
    except OSError as error:  # requests' exceptions are OSErrors
        return None, type(error).__name__


def signature(body: str, secrets: list[str]) -> str:
    """The Stripe-Signature header at wall time; one v1 for each secret that signs now."""
    timestamp = int(clock.wall())
    signed = [stripe.WebhookSignature.generate_signature_header(body, secret, timestamp) for secret in secrets]
    return ",".join([f"t={timestamp}", *(header.split(",", 1)[1] for header in signed)])


# --- for tests: every way the real world delivers ---------------------------------------------------------------------

Mode = Literal["in_order", "reversed", "shuffled", "duplicated", "dropped"]
MODES: tuple[Mode, ...] = ("in_order", "reversed", "shuffled", "duplicated", "dropped")


@dataclass(frozen=True)
class Sent:
    event: str  # the event's type
    stripe_id: str
    status: int


class Driver:
    """Delivers by hand. `post(url, body, headers)` returns a status, like `http_post`.

    Driver(post=...).run("shuffled", seed=7)
    with Driver(post=...).before_answers(): ...   # each event arrives before the call that caused it has answered
    """

    def __init__(self, post: Post) -> None:
        self.post = post
        self.sent: list[Sent] = []

    def run(self, mode: Mode = "in_order", seed: int = 0) -> list[Sent]:
        """Deliver until nothing new waits any more. Returns what was sent, in the order it arrived.

        "dropped" loses about half of the first tries on the way and sends those again after all others.
        """
        start, rng = len(self.sent), random.Random(seed)  # noqa: S311 (a seed is the point)
        while rows := self._waiting():
            lost = [row for row in rows if mode == "dropped" and rng.random() < 0.5]
            for row in lost:
                deliver(row, _nobody)
            arriving = [row for row in rows if row not in lost]
            for row in _arranged(arriving, mode, rng) + lost:
                self._deliver(row)
        return self.sent[start:]

    @contextmanager
    def before_answers(self) -> Iterator[None]:
        """While this lasts, events overtake the answers of the calls that caused them."""
        busy: list[bool] = []

        def listener() -> None:
            if not busy:  # a handler may itself call
                busy.append(True)
                self.run()
                busy.clear()

        dispatch.before_answer.append(listener)
        try:
            yield
        finally:
            dispatch.before_answer.remove(listener)

    def resend(self, event_id: str) -> None:
        """Send an old event again, as the Dashboard's button does."""
        for row in Delivery.objects.select_related("event", "endpoint").filter(event__stripe_id=event_id):
            self._deliver(row)

    def _waiting(self) -> list[Delivery]:
        waiting = Delivery.objects.filter(state=Delivery.State.WAITING, tries=0)
        return list(waiting.select_related("event", "endpoint").order_by("id"))

    def _deliver(self, row: Delivery) -> None:
        deliver(row, self.post)
        self.sent.append(Sent(row.event.key, row.event.stripe_id, row.last_status or 0))


def _arranged(rows: list[Delivery], mode: Mode, rng: random.Random) -> list[Delivery]:
    if mode == "reversed":
        return rows[::-1]
    if mode == "shuffled":
        return rng.sample(rows, len(rows))
    if mode == "duplicated":
        return rng.sample(rows + rows, len(rows) * 2)
    return rows


def _nobody(url: str, body: bytes, headers: dict[str, str], /) -> int:
    raise ConnectionResetError
