"""Search keys: the values by which staff find a member, kept beside every change, and how they are found by them.

Both questions, "is it this" and "does it begin so", are answered from one index on SQLite and PostgreSQL alike.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import CharField, Exists, Lookup, OuterRef

from membership import card_token, numbers
from membership.models import Member, SearchKey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.db.models import QuerySet

SHOWN = 25
SHORTEST = 2  # letters from which on beginnings are looked for: one would be a tenth of everybody
MANY = 1000  # keys from which on a beginning is common
LAST = "\U0010ffff"  # sorts after every letter


@CharField.register_lookup
class Begins(Lookup):
    """`value__begins="lind"`, by an index. Django's own `startswith` is a LIKE, which SQLite cannot look up; a range is
    no answer on PostgreSQL, whose order of letters is the locale's."""

    lookup_name = "begins"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        column, params = self.process_lhs(compiler, connection)
        return f"({column} >= %s AND {column} < %s)", (*params, self.rhs, *params, f"{self.rhs}{LAST}")

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        column, params = self.process_lhs(compiler, connection)
        return f"{column} LIKE %s", (*params, f"{connection.ops.prep_for_like_query(self.rhs)}%")


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


@dataclass(frozen=True)
class Found:
    """A member and by what they were found; `exactly`: by the whole of it. `address`: what to open in place of their
    page."""

    member: Member
    kind: str
    value: str
    exactly: bool
    address: str = ""


_finders: list[Callable[[str], Iterable[Found]]] = []


def finder(finds: Callable[[str], Iterable[Found]]) -> Callable[[str], Iterable[Found]]:
    """Register what an app finds members by where it keeps that itself. It is asked with what was typed, as it stands,
    and answers by an index what is exactly that."""
    _finders.append(finds)
    return finds


def find(text: str) -> list[Found]:
    """Members by name, address, number, order, Stripe id or card, the exact ones first; SHOWN of them at most."""
    text = text.replace("\0", "")  # PostgreSQL takes none
    asked = fold(text)
    if not asked:
        return []
    meant = sorted(exact(text)[: SHOWN * 4], key=lambda key: (key.kind, key.pk))
    found = _first_of_each(meant, exactly=True)
    there = {one.member.pk for one in found}
    for finds in _finders:
        found += [one for one in finds(text.strip()) if one.member.pk not in there]
    if len(found) < SHOWN and len(asked) >= SHORTEST:
        known = {one.member.pk for one in found}
        begun = sorted(beginning(text)[: SHOWN * 4], key=lambda key: (key.value, key.member_id))
        others = _first_of_each(begun, exactly=False)
        found += [one for one in others if one.member.pk not in known]
    return found[:SHOWN]


def exact(text: str) -> QuerySet[SearchKey]:
    """Keys that are what was typed: as it stands, as a number without its spaces, as the card behind a QR. In no order,
    for a name that a tenth of all have would be sorted whole."""
    meant = {fold(text), numbers.normalize(text)}
    if (card := card_token.read(text.strip())) is not None:
        meant.add(str(card))
    return _keys().filter(value__in=sorted(meant))


def beginning(text: str) -> QuerySet[SearchKey]:
    """Keys that begin with what was typed. Of several words each begins a part of the name, in any order.

    In no order: PostgreSQL would have to read and sort all of them, where an index hands out the first few at once.
    """
    words = sorted(set(fold(text).split()), key=len, reverse=True)
    if all(character.isdigit() for character in words[0]):  # a number that is read out in groups
        return _keys().filter(value__begins=numbers.normalize(text))
    if len(words) > 1:  # the rarest leads: of a common one all would be looked at where the other fits nobody
        words.sort(key=_how_many)
    keys = _keys().filter(value__begins=words[0])
    for word in words[1:]:
        part = SearchKey.objects.filter(member=OuterRef("member"), kind=SearchKey.Kind.NAME, value__begins=word)
        keys = keys.filter(Exists(part))
    return keys


def _how_many(word: str) -> int:
    """Keys that begin so, as far as MANY."""
    return SearchKey.objects.filter(value__begins=word)[:MANY].count()


def _keys() -> QuerySet[SearchKey]:
    return SearchKey.objects.select_related("member__user")


def _first_of_each(keys: Iterable[SearchKey], *, exactly: bool) -> list[Found]:
    """One line a member: the same person is found by the first name and by the whole."""
    found: dict[int, Found] = {}
    for key in keys:
        found.setdefault(key.member_id, Found(key.member, key.kind, key.value, exactly))
    return list(found.values())
