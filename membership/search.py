"""Search keys: the values by which staff find a member, kept beside every change, and how they are found by them.

Both questions, "is it this" and "does it begin so", are answered from one index on SQLite and PostgreSQL alike.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.models import CharField, Exists, Lookup, OuterRef

from membership import card_token, numbers
from membership.models import Member, SearchKey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.db.models import QuerySet

SHOWN = 25
SHORTEST = 2  # letters from which on beginnings are looked for: one would be a tenth of everybody
LOOKED_AT = SHOWN * 4  # keys: a member has several that begin alike
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


class Key(NamedTuple):
    """A search key as it is read: a hundred of them are lighter than as many rows."""

    member_id: int
    kind: str
    value: str
    pk: int


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
    found = _found(sorted(_read(exact(text)[:LOOKED_AT]), key=lambda key: (key.kind, key.pk)), exactly=True)
    there = {one.member.pk for one in found}
    for finds in _finders:
        found += [one for one in finds(text.strip()) if one.member.pk not in there]
    if len(found) < SHOWN and len(asked) >= SHORTEST:
        known = {one.member.pk for one in found}
        begun = sorted(_beginning(text), key=lambda key: (key.value, key.member_id))
        found += _found([key for key in begun if key.member_id not in known], exactly=False)
    return found[:SHOWN]


def exact(text: str) -> QuerySet[SearchKey]:
    """Keys that are what was typed: as it stands, as a number without its spaces, as the card behind a QR. In no order,
    for a name that a tenth of all have would be sorted whole."""
    meant = {fold(text), numbers.normalize(text)}
    if (card := card_token.read(text.strip())) is not None:
        meant.add(str(card))
    return SearchKey.objects.filter(value__in=sorted(meant))


def beginning(word: str) -> QuerySet[SearchKey]:
    """Keys that begin with what was typed, a number also where it is read out in groups.

    In no order: PostgreSQL would have to read and sort all of them, where an index hands out the first few at once.
    """
    asked = fold(word)
    return SearchKey.objects.filter(value__begins=numbers.normalize(word) if _is_number(asked) else asked)


def _read(keys: QuerySet[SearchKey]) -> list[Key]:
    return [Key(*row) for row in keys.values_list(*Key._fields)]


def _beginning(text: str) -> list[Key]:
    """Keys that begin so: the whole name as it is typed, and of several words each a part of it, in any order."""
    keys = _read(beginning(text)[:LOOKED_AT])
    asked = fold(text)
    if " " in asked and not _is_number(asked) and len({key.member_id for key in keys}) < SHOWN:
        keys += _parts(asked.split())
    return keys


def _is_number(asked: str) -> bool:
    return asked.replace(" ", "").isdigit()


def _parts(words: list[str]) -> list[Key]:
    """Keys of names of which each word begins a part.

    The rarest word leads, and of what it begins so many are looked at that hands can count: asking the database for
    all words at once, it reads every Anna and every Jansen there is.
    """
    begun = {word: beginning(word).filter(kind=SearchKey.Kind.NAME) for word in words}
    rarest, *others = sorted(begun, key=lambda word: (begun[word][:MANY].count(), -len(word)))
    led = _read(begun[rarest][:MANY])
    keys = _with_all(led, [begun[word] for word in others])
    if len(led) < MANY or len({key.member_id for key in keys}) >= SHOWN:
        return keys
    fits = begun[rarest]
    for word in others:
        fits = fits.filter(Exists(begun[word].filter(member=OuterRef("member"))))
    return _read(fits[:LOOKED_AT])


def _with_all(keys: list[Key], parts: list[QuerySet[SearchKey]]) -> list[Key]:
    """Those whose member has each of these parts, too."""
    left = {key.member_id for key in keys}
    for part in parts:
        left &= set(part.filter(member__in=left).values_list("member", flat=True))
    return [key for key in keys if key.member_id in left]


def _found(keys: Iterable[Key], *, exactly: bool) -> list[Found]:
    """One line a member, as the first of their keys has it: the same person is found by the first name and by the
    whole. SHOWN at most."""
    first: dict[int, Key] = {}
    for key in keys:
        first.setdefault(key.member_id, key)
    shown = list(first.items())[:SHOWN]
    told = Member.objects.select_related("user").only("number", "name", "user__email")
    members = told.in_bulk([pk for pk, _key in shown])
    return [Found(members[pk], key.kind, key.value, exactly) for pk, key in shown]
