"""Search keys: the values by which staff find a member, kept beside every change."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from membership.models import SearchKey

if TYPE_CHECKING:
    from membership.models import Member


def fold(text: str) -> str:
    """The form that is stored and searched: case and accents folded, spaces collapsed."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(c for c in decomposed if not unicodedata.combining(c))
    return " ".join(bare.split())[:254]


def put(*, member: Member, kind: SearchKey.Kind, value: str) -> None:
    """Make the member findable by `value`; the same value twice is one row. Name parts are found one by one."""
    values = {fold(value)}
    if kind == SearchKey.Kind.NAME:
        values |= set(fold(value).split())
    SearchKey.objects.bulk_create(
        [SearchKey(member=member, kind=kind, value=v) for v in sorted(values) if v], ignore_conflicts=True
    )


def replace(*, member: Member, kind: SearchKey.Kind, value: str) -> None:
    """Make `value` the only one of its kind: a changed name or address."""
    SearchKey.objects.filter(member=member, kind=kind).delete()
    put(member=member, kind=kind, value=value)
