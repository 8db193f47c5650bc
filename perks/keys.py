"""Shops and their API keys: created, rotated, revoked. The only writer of Shop and ApiKey.

A key is shown once. Kept are its prefix (so that people can name it) and the SHA-256 of the whole.

A key is live until it is revoked, or until the overlap ends in which another was rolled in for it (`retires_at`). That
end is asked of the time and needs nobody: the row is closed only when its slot is wanted.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_noop

from membership import audit
from membership.errors import DomainError
from perks.models import LIVE_KEYS_PER_SHOP, ApiKey, Shop

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from django.db.models import QuerySet

SCOPES = {
    "perks:check": gettext_noop("ask what a member may get on a basket"),
    "perks:redeem": gettext_noop("hold, commit, release and return perks"),
    "members:read": gettext_noop("read a member's standing and perks, tie customer ids"),
    "members:email": gettext_noop("find a member by e-mail address, where the member allows it"),
    "cards:verify": gettext_noop("verify a scanned card"),
}
SHAPE = re.compile(r"(vip_(?:test|live)_[a-z0-9]{8})_[A-Za-z0-9_-]{43}")
_PREFIX_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"


class UnknownScope(DomainError):
    code = "unknown_scope"
    message = "There is no such scope."


class TooManyKeys(DomainError):
    code = "too_many_keys"
    message = gettext_noop("This shop has two live keys already: revoke one first.")


class NoSuchKey(DomainError):
    code = "no_such_key"
    status = 404
    message = gettext_noop("There is no live key with this prefix.")


class ShopExists(DomainError):
    code = "shop_exists"
    status = 422
    message = gettext_noop("There is a shop with this name already.")


def live(at: datetime) -> QuerySet[ApiKey]:
    """The keys that work at `at`."""
    return ApiKey.objects.filter(Q(retires_at=None) | Q(retires_at__gt=at), revoked_at=None)


def enter(*, shop_name: str, scopes: Sequence[str], at: datetime, actor: str) -> str:
    """A shop that there has not been, with its first key, which is returned. Raises UnknownScope, ShopExists."""
    with transaction.atomic():
        if Shop.objects.filter(name__iexact=shop_name).exists():
            raise ShopExists
        return create(shop_name=shop_name, scopes=scopes, at=at, actor=actor)


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
    ended = ApiKey.objects.filter(shop=shop, revoked_at=None, retires_at__lte=at)
    ended.update(revoked_at=F("retires_at"))  # they were refused from then on; now they leave their slots
    slot = free_slot(shop)
    if slot is None:
        raise TooManyKeys
    try:
        with transaction.atomic():
            ApiKey.objects.create(
                shop=shop, prefix=prefix, secret_hash=digest(key), scopes=scopes, live_slot=slot, created_at=at
            )
    except IntegrityError:  # somebody took the slot meanwhile
        raise TooManyKeys from None


def free_slot(shop: Shop) -> int | None:
    taken = set(ApiKey.objects.filter(shop=shop, revoked_at=None).values_list("live_slot", flat=True))
    return next((n for n in range(1, LIVE_KEYS_PER_SHOP + 1) if n not in taken), None)


def rotate(*, prefix: str, overlap: timedelta | None, at: datetime, actor: str) -> str:
    """A key with the same shop and scopes in place of this one. Returns the new one, which works at once.

    The old one works on for `overlap` (nothing: it is revoked; None: until somebody revokes it), but never longer than
    an earlier rotation left it. Raises NoSuchKey, TooManyKeys.
    """
    with transaction.atomic():
        old = live(at).filter(prefix=prefix).select_related("shop").first()
        if old is None:
            raise NoSuchKey
        if overlap is not None and not overlap:
            revoke(prefix=prefix, at=at, actor=actor)
        new = create(shop_name=old.shop.name, scopes=old.scopes, at=at, actor=actor)
        if overlap:
            retires_at = min(old.retires_at or at + overlap, at + overlap)
            if not ApiKey.objects.filter(pk=old.pk, revoked_at=None).update(retires_at=retires_at):
                raise NoSuchKey  # revoked meanwhile: whoever did that decides what follows it
            data = {"key": prefix, "until": retires_at.isoformat()}
            audit.write(actor=actor, verb="retire_key", subject=f"shop:{old.shop_id}", at=at, data=data)
    return new


def newest(*, shop_name: str, at: datetime) -> ApiKey:
    """The shop's live key that was made last. Raises NoSuchKey."""
    found = live(at).filter(shop__name=shop_name).last()
    if found is None:
        raise NoSuchKey("This shop has no live key to rotate.")
    return found


def revoke(*, prefix: str, at: datetime, actor: str) -> None:
    """The key is refused from now on: at every process within a second. Takes the prefix or a whole key."""
    match = SHAPE.fullmatch(prefix)
    prefix = match[1] if match else prefix
    with transaction.atomic():
        key = live(at).filter(prefix=prefix).first()
        if key is None or not live(at).filter(pk=key.pk).update(revoked_at=max(at, key.created_at)):
            raise NoSuchKey
        audit.write(actor=actor, verb="revoke_key", subject=f"shop:{key.shop_id}", at=at, data={"key": prefix})


def mode() -> str:
    return "live" if settings.PRODUCTION else "test"


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
