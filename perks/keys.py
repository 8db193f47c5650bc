"""Shops and their API keys: created, rotated, revoked. The only writer of Shop and ApiKey.

A key is shown once. Kept are its prefix (so that people can name it) and the SHA-256 of the whole.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import IntegrityError, transaction

from membership import audit
from membership.errors import DomainError
from perks.models import LIVE_KEYS_PER_SHOP, ApiKey, Shop

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

SCOPES = {
    "perks:check": "ask what a member may get on a basket",
    "perks:redeem": "hold, commit, release and return perks",
    "members:read": "read a member's standing and perks, tie customer ids",
    "members:email": "find a member by e-mail address, where the member allows it",
    "cards:verify": "verify a scanned card",
}
SHAPE = re.compile(r"(vip_(?:test|live)_[a-z0-9]{8})_[A-Za-z0-9_-]{43}")
_PREFIX_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"


class UnknownScope(DomainError):
    code = "unknown_scope"
    message = "There is no such scope."


class TooManyKeys(DomainError):
    code = "too_many_keys"
    message = "This shop has two live keys already: revoke one first."


class NoSuchKey(DomainError):
    code = "no_such_key"
    status = 404
    message = "There is no live key with this prefix."


def create(*, shop_name: str, scopes: Sequence[str], at: datetime, actor: str) -> str:
    """A new key for the shop, which is entered on first use. Returns the whole key: it cannot be read again.

    Raises UnknownScope, TooManyKeys.
    """
    if wrong := sorted(set(scopes) - set(SCOPES)):
        raise UnknownScope(f"There is no scope called {', '.join(wrong)}. There are: {', '.join(SCOPES)}.")
    prefix = f"vip_{mode()}_{''.join(secrets.choice(_PREFIX_LETTERS) for _ in range(8))}"
    key = f"{prefix}_{secrets.token_urlsafe(32)}"
    with transaction.atomic():
        shop, _ = Shop.objects.get_or_create(name=shop_name, defaults={"created_at": at})
        _insert(shop, prefix, key, sorted(set(scopes)), at)
        audit.write(actor=actor, verb="create_key", subject=f"shop:{shop.pk}", at=at, data={"key": prefix})
    return key


def _insert(shop: Shop, prefix: str, key: str, scopes: list[str], at: datetime) -> None:
    taken = set(ApiKey.objects.filter(shop=shop, revoked_at=None).values_list("live_slot", flat=True))
    free = next((n for n in range(1, LIVE_KEYS_PER_SHOP + 1) if n not in taken), None)
    if free is None:
        raise TooManyKeys
    try:
        with transaction.atomic():
            ApiKey.objects.create(
                shop=shop, prefix=prefix, secret_hash=digest(key), scopes=scopes, live_slot=free, created_at=at
            )
    except IntegrityError:  # somebody took the slot meanwhile
        raise TooManyKeys from None


def rotate(*, shop_name: str, at: datetime, actor: str) -> str:
    """A second key with the scopes of the shop's newest; both work until the old one is revoked."""
    newest = ApiKey.objects.filter(shop__name=shop_name, revoked_at=None).last()
    if newest is None:
        raise NoSuchKey("This shop has no live key to rotate.")
    return create(shop_name=shop_name, scopes=newest.scopes, at=at, actor=actor)


def revoke(*, prefix: str, at: datetime, actor: str) -> None:
    """The key is refused from now on: at every process within a second. Takes the prefix or a whole key."""
    match = SHAPE.fullmatch(prefix)
    prefix = match[1] if match else prefix
    with transaction.atomic():
        key = ApiKey.objects.filter(prefix=prefix, revoked_at=None).first()
        if key is None:
            raise NoSuchKey
        ApiKey.objects.filter(pk=key.pk).update(revoked_at=max(at, key.created_at))
        audit.write(actor=actor, verb="revoke_key", subject=f"shop:{key.shop_id}", at=at, data={"key": prefix})


def mode() -> str:
    return "live" if settings.PRODUCTION else "test"


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
