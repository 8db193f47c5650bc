"""What perks were sold under, kept once for all who bought the same, under the hash of its text.

Nothing under a hash ever changes, so a process reads it once and need not ask again. An entitlement row names one, and
so is a fifth as long: one page of the database and one short text to understand, at each perk check.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import orjson

from perks.facts import AsSold, as_line
from perks.models import SoldTogether

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST = 10_000

_read: dict[str, Sequence[AsSold]] = {}


def read(digest: str) -> Sequence[AsSold]:
    """What stands under the hash. Raises SoldTogether.DoesNotExist: then a row names what was never kept."""
    if (found := _read.get(digest)) is None:
        if len(_read) >= MOST:
            _read.clear()
        found = _read[digest] = understood(SoldTogether.objects.get(pk=digest).text)
    return found


def keep(text: str) -> None:
    """In the transaction of the row that names it."""
    digest = hashed(text)
    if not SoldTogether.objects.filter(pk=digest).exists():
        SoldTogether.objects.bulk_create([SoldTogether(digest=digest, text=text)], ignore_conflicts=True)


def understood(text: str) -> Sequence[AsSold]:
    return [AsSold(*one) for one in orjson.loads(text)]


def told(sold: Sequence[AsSold]) -> str:
    return as_line(list(map(list, sold)))


def hashed(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:32]
