"""Who is asking: a shop's key becomes a Caller. Raises problems 401 (no such key), 403 (scope), 429 (guessing)."""

from __future__ import annotations

import hmac
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ninja.security.http import HttpAuthBase

from membership import limits
from membership.problems import Problem
from perks import keys
from perks.decisions import key_was_used
from perks.fresh import Fresh
from perks.models import ApiKey

if TYPE_CHECKING:
    from django.http import HttpRequest

GUESSES_A_MINUTE = 30


@dataclass(frozen=True, slots=True)
class Caller:
    """The shop behind a request, and what its key may do."""

    key: int
    shop: int
    scopes: frozenset[str]


_callers: Fresh[str, Caller | None] = Fresh()


class ApiKeyAuth(HttpAuthBase):
    """`Authorization: Bearer vip_…`, with a scope."""

    openapi_scheme = "bearer"

    def __init__(self, scope: str) -> None:
        super().__init__()
        self.scope = scope

    def __call__(self, request: HttpRequest) -> Caller:
        scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise _unauthorized("Send your key as “Authorization: Bearer vip_…”.")
        caller = _caller(token.strip())
        if caller is None:
            raise _guessed(limits.address_of(request), token)
        if self.scope not in caller.scopes:
            raise Problem(403, "missing_scope", f"This key lacks the scope {self.scope}.")
        key_was_used(caller.key)
        return caller


def _caller(token: str) -> Caller | None:
    digest = keys.digest(token)
    return _callers.get(digest, lambda: _look_up(token, digest))


def _look_up(token: str, digest: str) -> Caller | None:
    shape = keys.SHAPE.fullmatch(token)
    if shape is None or not token.startswith(f"vip_{keys.mode()}_"):
        return None
    row = ApiKey.objects.filter(prefix=shape[1], revoked_at=None).first()
    if row is None or not hmac.compare_digest(row.secret_hash, digest):
        return None
    return Caller(key=row.pk, shop=row.shop_id, scopes=frozenset(row.scopes))


def _unauthorized(detail: str) -> Problem:
    return Problem(401, "invalid_key", detail, headers={"WWW-Authenticate": "Bearer"})


_guesses: dict[str, list[float]] = {}


def _guessed(address: str, token: str) -> Problem:
    """A wrong key. Guessing 256 bits is hopeless; slowing it down keeps the logs and the database quiet."""
    now = time.monotonic()
    recent = [t for t in _guesses.get(address, []) if now - t < 60][-GUESSES_A_MINUTE:]
    if len(_guesses) > 10_000:
        _guesses.clear()
    _guesses[address] = [*recent, now]
    if len(recent) >= GUESSES_A_MINUTE:
        return Problem(429, "too_many_wrong_keys", "Too many wrong keys. Wait a minute.", headers={"Retry-After": "60"})
    other = "vip_test_" if keys.mode() == "live" else "vip_live_"
    if token.startswith(other):
        return _unauthorized(f"This installation takes {keys.mode()} keys (vip_{keys.mode()}_…).")
    return _unauthorized("This key is not known, or was revoked.")


def forget_guesses() -> None:
    _guesses.clear()
