"""The token behind a card's QR: which card this is, signed. Whether it is valid now is asked (cards.check).

    1 byte    key id, 1-255 (0 is kept for another layout)
    16 bytes  card id
    64 bytes  Ed25519 signature over AUDIENCE + key id + card id

81 bytes are 108 characters of base64url without padding or unused bits, so one card has one spelling. docs/card.md
tells shops how to verify it. This module also keeps the table of public keys (CardKey): a card verifies while its
key's row stands, so a leaked key is withdrawn by deleting its row.
"""

from __future__ import annotations

import base64
import re
import time
import uuid
from functools import cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max

from membership import clock
from membership.errors import DomainError
from membership.models import Card, CardKey

AUDIENCE = b"vip-card/1:"
LENGTH = 108
LONGEST_INPUT = 512  # a whole URL; anything longer is not from a card
KEYS_KEPT_SECONDS = 1.0  # how long a process trusts its copy of the key table

_SHAPE = re.compile(rf"(?:.*/)?([A-Za-z0-9_-]{{{LENGTH}}})/?(?:[?#].*)?")


class NoKeyIdLeft(DomainError):
    """All 255 key ids are taken: withdraw keys whose cards are long gone."""

    code = "no_card_key_id_left"
    message = "No card key id is left."


def url(card: Card) -> str:
    """The address that the QR of `card` holds."""
    return f"{settings.BASE_URL}/c/{issue(card.pk)}"


def issue(card_id: uuid.UUID) -> str:
    """The token of a card; the same one each time while the key is the same."""
    signed = bytes([current_key_id()]) + card_id.bytes
    signature = _private_key(settings.CARD_PRIVATE_KEY).sign(AUDIENCE + signed)
    return base64.urlsafe_b64encode(signed + signature).decode("ascii")


def read(token_or_url: str) -> uuid.UUID | None:
    """The card id in a token, or in a whole URL as a scanner gives it; None for anything not signed by one of our keys.

    Never raises on what a stranger sends. The work is bounded: one length check, one match, one signature.
    """
    if len(token_or_url) > LONGEST_INPUT:
        return None
    match = _SHAPE.fullmatch(token_or_url.strip())
    if match is None:
        return None
    raw = base64.urlsafe_b64decode(match[1])
    public_key = public_keys().get(raw[0])
    if public_key is None:
        return None
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(raw[17:], AUDIENCE + raw[:17])
    except InvalidSignature:
        return None
    return uuid.UUID(bytes=raw[1:17])


def current_key_id() -> int:
    """The id of the key that signs now; its row is written when the key is first used."""
    public = _public_half(settings.CARD_PRIVATE_KEY)
    for key_id, known in public_keys().items():
        if known == public:
            return key_id
    forget_keys()
    return _register(public)


def public_keys() -> dict[int, bytes]:
    """Key id -> 32 raw bytes, for each key whose cards are still honored. Read from the table once a second at most."""
    global _kept, _kept_at
    if _kept is None or time.monotonic() - _kept_at > KEYS_KEPT_SECONDS:
        _kept = {key.key_id: bytes(key.public_key) for key in CardKey.objects.order_by("key_id")}
        _kept_at = time.monotonic()
    return _kept


def forget_keys() -> None:
    """Read the key table anew at the next use."""
    global _kept
    _kept = None


_kept: dict[int, bytes] | None = None
_kept_at = 0.0


def _register(public: bytes) -> int:
    """Give the key the next free id. Two processes may try at once: the constraints let one win, both read its id."""
    while (key := CardKey.objects.filter(public_key=public).first()) is None:
        key_id = (CardKey.objects.aggregate(last=Max("key_id"))["last"] or 0) + 1
        if key_id > 255:
            raise NoKeyIdLeft
        try:
            with transaction.atomic():
                CardKey.objects.create(key_id=key_id, public_key=public, first_used_at=clock.now())
        except IntegrityError:
            continue
    return key.key_id


@cache
def _private_key(raw: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(raw)


@cache
def _public_half(raw: bytes) -> bytes:
    return _private_key(raw).public_key().public_bytes_raw()
