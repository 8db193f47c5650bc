"""Everything that is stored about a person, as one file for them: JSON, and what they or we attached.

Each app names its parts in its `own_data_parts.py` (membership.apps finds them). A part is a question about one account
and the fields of its rows that are theirs: no secrets, no codes, nothing that only staff or machines need.
tests/membership/test_own_data.py holds the parts to the models: one that leads to a person and is neither named nor
left out with a reason, fails.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from datetime import date, datetime
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from django.db.models import Model, QuerySet

    from membership.models import User

    Row = dict[str, Any]

KEPT_IN_MEMORY = 2_000_000  # bytes; what is longer goes through a file on disk


@dataclass(frozen=True)
class Part:
    """`rows(user)` of `model`, of which `fields` are told, as `told` puts them."""

    name: str
    model: type[Model]
    rows: Callable[[User], QuerySet[Any]]
    fields: tuple[str, ...]
    told: Callable[[Row], Row] = lambda row: row

    def of(self, user: User) -> Iterator[Row]:
        for row in self.rows(user).order_by("pk").values(*self.fields).iterator(chunk_size=500):
            yield self.told(row)


parts: list[Part] = []
left_out: dict[type[Model], str] = {}
_files: list[Callable[[User], Iterable[tuple[str, bytes]]]] = []


def part(
    name: str,
    model: type[Model],
    rows: Callable[[User], QuerySet[Any]],
    *fields: str,
    told: Callable[[Row], Row] = lambda row: row,
) -> None:
    """Add a part, told under `name` in the file."""
    assert all(name != one.name for one in parts), name
    parts.append(Part(name, model, rows, fields, told))


def leave_out(reason: str, *models: type[Model]) -> None:
    """These models lead to a person and are not told, for this reason."""
    left_out.update(dict.fromkeys(models, reason))


def files(give: Callable[[User], Iterable[tuple[str, bytes]]]) -> Callable[[User], Iterable[tuple[str, bytes]]]:
    """Register what gives attachments: name inside the file, and content."""
    _files.append(give)
    return give


def collected(user: User, *, at: datetime) -> dict[str, Any]:
    """All parts by name. Moments are ISO 8601 with their zone, money minor units beside a currency."""
    told: dict[str, Any] = {"made_at": at, "about": "Moments: ISO 8601. Money: minor units of the currency beside it."}
    return told | {one.name: list(one.of(user)) for one in parts}


def zipped(user: User, *, at: datetime) -> IO[bytes]:
    """The file to hand out, at its beginning."""
    target = SpooledTemporaryFile(max_size=KEPT_IN_MEMORY)  # noqa: SIM115 (who sends it closes it)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        text = json.dumps(collected(user, at=at), indent=1, ensure_ascii=False, default=_plain)
        archive.writestr("data.json", text)
        for give in _files:
            for name, content in give(user):
                archive.writestr(f"files/{name}", content)
    target.seek(0)
    return target


def _plain(value: Any) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(type(value))
