"""Idempotency keys: the same key and parameters answer the same again; other parameters are refused.

Stripe's rules: POST only; the answer is kept (a 500 too) once the endpoint began; nothing is kept when the parameters
failed validation or another call was in the way; keys can be pruned after 24 hours.
"""

from __future__ import annotations

import hashlib
import json

from django.db import transaction

from billing.emulator import clock
from billing.emulator.errors import NotStarted
from billing.emulator.models import IdempotencyKey
from billing.emulator.routers import ALIAS
from billing.emulator.wire import Answer, Request

LONGEST = 255
KEPT = 24 * 3600.0  # seconds
ABANDONED = 60.0  # seconds after which a call in flight is held to have died with its process


def claim(request: Request) -> Answer | None:
    """Take the key for this call, or the answer it already has. Raises on other parameters or a call in flight."""
    key, fingerprint = request.idempotency_key, _fingerprint(request)
    if len(key) > LONGEST:
        raise NotStarted(f"Idempotency key is too long: {len(key)} characters, at most {LONGEST}.")
    with transaction.atomic(using=ALIAS):  # one writer at a time: of two with the same key, one finds the other
        known = _known(key)
        if known is None:
            IdempotencyKey.objects.create(key=key, fingerprint=fingerprint, claimed_at=clock.wall())
            return None
    if known.fingerprint != fingerprint:
        raise NotStarted(
            "Keys for idempotent requests can only be used with the same parameters they were first used with. "
            f"Try using a key other than '{key}' if you meant to execute a different request.",
            kind="idempotency_error",
        )
    if known.status is None:
        raise _in_flight(key)
    replayed = {"Idempotent-Replayed": "true", "Original-Request": known.request_id}
    return Answer(known.status, known.body, replayed)


def _known(key: str) -> IdempotencyKey | None:
    """The row of this key; one that is too old to count is cleared away."""
    known = IdempotencyKey.objects.filter(key=key).first()
    if known is None or clock.wall() - known.claimed_at <= (KEPT if known.status else ABANDONED):
        return known
    known.delete()
    return None


def keep(key: str, answer: Answer) -> None:
    """The call is done: this is its answer from now on."""
    IdempotencyKey.objects.filter(key=key).update(
        status=answer.status, body=answer.body, request_id=answer.headers.get("Request-Id", "")
    )


def free(key: str) -> None:
    """The call never began: the key may be used again."""
    IdempotencyKey.objects.filter(key=key, status=None).delete()


def _in_flight(key: str) -> NotStarted:
    return NotStarted(
        f"There is currently another in-progress request using this idempotency key ({key}). Please try again later.",
        status=409,
        kind="idempotency_error",
        code="idempotency_key_in_use",
    )


def _fingerprint(request: Request) -> str:
    text = json.dumps([request.verb, request.path, request.params], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
