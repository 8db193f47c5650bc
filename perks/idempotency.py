"""Idempotency keys: the same request of a shop under the same key gets the same answer again, for 30 days.

The row is inserted first in the transaction of the change, so that of two equal requests at once one waits for the
other and hears its answer. A request that was refused keeps nothing: it changed nothing, and may be tried again. After
the 30 days a key is free, and what is sent under it is a new request.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from django.db import IntegrityError, transaction

from membership.errors import DomainError
from perks.models import KeptAnswer

if TYPE_CHECKING:
    from datetime import datetime

KEPT = timedelta(days=30)


class KeyReused(DomainError):
    code = "idempotency_mismatch"
    status = 422
    message = "This Idempotency-Key was sent before with another request. Use a new key for a new request."


class Request(NamedTuple):
    """Who asks, under which key, and what (see digest)."""

    shop: int
    key: str
    digest: str


def digest(*parts: bytes | str) -> str:
    """What tells one request from another: where it was sent, and its body."""
    joined = b"\0".join(part if isinstance(part, bytes) else part.encode() for part in parts)
    return hashlib.sha256(joined).hexdigest()


def kept(request: Request, *, at: datetime) -> bytes | None:
    """What this request was answered before; None if it is new. Raises KeyReused."""
    row = KeptAnswer.objects.filter(shop=request.shop, key=request.key, made_at__gt=at - KEPT).first()
    return _same(row, request) if row else None


def claim(request: Request, *, at: datetime) -> bytes | None:
    """Take the key within a transaction; or, where another did meanwhile, what that one was answered.

    Raises KeyReused. To be followed by keep() in the same transaction.
    """
    mine = KeptAnswer.objects.filter(shop=request.shop, key=request.key)
    mine.filter(made_at__lte=at - KEPT).delete()
    try:
        with transaction.atomic():
            KeptAnswer.objects.create(
                shop_id=request.shop, key=request.key, request_hash=request.digest, answer="", made_at=at
            )
    except IntegrityError:
        return _same(mine.get(), request)
    return None


def keep(request: Request, *, answer: bytes) -> None:
    """The answer that whoever repeats the request shall get."""
    KeptAnswer.objects.filter(shop=request.shop, key=request.key).update(answer=answer.decode())


def sweep(*, at: datetime) -> int:
    """Forget what is older than 30 days. It counts no more from that moment on, whether or not this has run."""
    return KeptAnswer.objects.filter(made_at__lte=at - KEPT).delete()[0]


def _same(row: KeptAnswer, request: Request) -> bytes:
    if row.request_hash != request.digest:
        raise KeyReused
    return row.answer.encode()
