"""Who is asking: a shop's key becomes a Caller. Raises problems 401 (no such key), 403 (scope), 429 (guessing)."""

from __future__ import annotations

import hmac
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ninja.security.http import HttpAuthBase

from membership import clock, limits
from membership.problems import Problem
from perks import as_of, keys
from perks.decisions import key_was_used
from perks.fresh import Fresh

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest

GUESSES_A_MINUTE = 30


@dataclass(frozen=True, slots=True)
class Caller:
    """The shop behind a request, and what its key may do, `until` when (None: until it is revoked)."""

    key: int
    shop: int
    scopes: frozenset[str]
    until: datetime | None = None

    def still(self) -> Caller | None:
        """None once the overlap of a rotation is over: to the moment, however lately the key was looked up."""
        return self if self.until is None or clock.now() < self.until else None


_callers: Fresh[str, Caller | None] = Fresh()


class ApiKeyAuth(HttpAuthBase):
    """`Authorization: Bearer vip_…`, with a scope. `as_of`: the call may be asked about another moment (as_of.py)."""

    openapi_scheme = "bearer"

    def __init__(self, scope: str, *, as_of: bool = False) -> None:
        super().__init__()
        self.scope, self.as_of = scope, as_of

    def __call__(self, request: HttpRequest) -> Caller:
        scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise _unauthorized("Send your key as “Authorization: Bearer vip_…”.")
        caller = _caller(token.strip(), request)
        if caller is None:
            raise _guessed(limits.address_of(request), token)
        require(caller, self.scope)
        if as_of.HEADER in request.META:
            as_of.refuse_unless(takes_it=self.as_of)
        key_was_used(caller.key)
        return caller


def require(caller: Caller, scope: str) -> None:
    """Raises problem 403 where the key lacks the scope."""
    if scope not in caller.scopes:
        raise Problem(403, "missing_scope", f"This key lacks the scope {scope}.")


def lately(authorization: str) -> Caller | None:
    """The caller whose key was looked up within the last second. None: it is for ApiKeyAuth to say who that is."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        return None
    token = token.strip()
    digest = keys.digest(token)
    caller = _callers.kept(digest, lambda: _stored(token, digest))
    return caller.still() if caller else None


def _caller(token: str, request: HttpRequest) -> Caller | None:
    digest = keys.digest(token)
    caller = _callers.get(digest, lambda: _look_up(token, digest, request))
    return caller.still() if caller else None


def _look_up(token: str, digest: str, request: HttpRequest) -> Caller | None:
    if keys.SHAPE.fullmatch(token) is None or not token.startswith(f"vip_{keys.mode()}_"):
        return None
    if digest not in _known and _guesses_lately(limits.address_of(request)) >= GUESSES_A_MINUTE:
        raise _too_many()
    return _stored(token, digest)


def _stored(token: str, digest: str) -> Caller | None:
    """Whom this key stands for now. It has a key's shape."""
    shape = keys.SHAPE.fullmatch(token)
    assert shape is not None
    row = keys.live(clock.now()).filter(prefix=shape[1]).first()
    if row is None or not hmac.compare_digest(row.secret_hash, digest):
        _known.discard(digest)
        return None
    _known.add(digest)
    return Caller(key=row.pk, shop=row.shop_id, scopes=frozenset(row.scopes), until=row.retires_at)


def _unauthorized(detail: str) -> Problem:
    return Problem(401, "invalid_key", detail, headers={"WWW-Authenticate": "Bearer"})


# By address, when wrong keys came. Guessing 256 bits is hopeless; after so many a minute it costs the database nothing
# either, for a key is not even looked up. But one that was right before is: whoever shares an address with somebody
# who guesses works on.
_guesses: dict[str, list[float]] = {}
_known: set[str] = set()  # digests of keys that were right, as many as there are keys


def _guesses_lately(address: str) -> int:
    now = time.monotonic()
    return sum(now - t < 60 for t in _guesses.get(address, []))


def _guessed(address: str, token: str) -> Problem:
    """A wrong key: counted, and answered."""
    if _guesses_lately(address) >= GUESSES_A_MINUTE:
        return _too_many()
    if len(_guesses) > 10_000:
        _guesses.clear()
    _guesses[address] = [*_guesses.get(address, []), time.monotonic()][-GUESSES_A_MINUTE:]
    other = "vip_test_" if keys.mode() == "live" else "vip_live_"
    if token.startswith(other):
        return _unauthorized(f"This installation takes {keys.mode()} keys (vip_{keys.mode()}_…).")
    return _unauthorized("This key is not known, or was revoked.")


def _too_many() -> Problem:
    return Problem(429, "too_many_wrong_keys", "Too many wrong keys. Wait a minute.", headers={"Retry-After": "60"})


def forget_guesses() -> None:
    _guesses.clear()
    _known.clear()
