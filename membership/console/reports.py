"""Reports: figures about the programme as a whole, a table each. Every app registers its own at start, as it does
queues. The page, its drawing and its file are made from the same table, so they cannot differ.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from django.utils import translation
from django.utils.translation import gettext_lazy as _

from membership import money
from membership.roles import Permission

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from django.utils.functional import _StrPromise as Words

    from membership.models import Member, Staff

NOTHING = _("Nothing to count now")
MARK = "\ufeff"
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would carry out


class Money(NamedTuple):
    """Minor units of a currency."""

    amount: int
    currency: str

    def __str__(self) -> str:
        return money.text(self.amount, self.currency, translation.get_language() or "en", exact=True)


class Share(NamedTuple):
    """A part of a whole; of nothing there is none."""

    part: int
    whole: int

    def __str__(self) -> str:
        return f"{100 * self.part / self.whole:.1f} %" if self.whole > 0 else "–"


class Whose(NamedTuple):
    """A member, who is a link on the page."""

    number: str
    name: str

    @classmethod
    def of(cls, member: Member) -> Whose:
        return cls(member.number, member.name)


Cell = str | int | Money | Share | Whose | date | None
Row = Sequence[Cell]


@dataclass(frozen=True)
class Column:
    """`drawn`: its numbers are bars of the drawing above the table."""

    label: Words
    drawn: bool = False


@dataclass(frozen=True)
class Table:
    columns: Sequence[Column]
    rows: Sequence[Row]

    @property
    def labelled(self) -> list[list[tuple[Words, Cell]]]:
        """The rows, each cell with the name of its column: on a phone a row is a small list."""
        names = [column.label for column in self.columns]
        return [list(zip(names, row, strict=True)) for row in self.rows]


@dataclass(frozen=True, kw_only=True)
class Report:
    """`about` defines every figure and gives the formula: a number nobody can check is an opinion. `empty`: what it
    means that there is no row."""

    code: str
    label: Words
    about: Words
    make: Callable[[datetime], Table]
    order: int
    empty: Words = NOTHING
    permission: Permission = Permission.SEE


_reports: dict[str, Report] = {}


def register(report: Report) -> Report:
    assert report.code not in _reports, report.code
    _reports[report.code] = report
    return report


def of(staff: Staff) -> list[Report]:
    """The reports that this person may see, in their order."""
    return sorted((one for one in _reports.values() if staff.may(one.permission)), key=lambda one: one.order)


def named(code: str, staff: Staff) -> Report | None:
    return next((one for one in of(staff) if one.code == code), None)


def as_csv(table: Table) -> str:
    """The table as a file: ISO dates, money in major units with its currency beside it, shares as 0 to 1.

    It begins with the mark that spreadsheets know UTF-8 by.
    """
    out = io.StringIO()
    out.write(MARK)
    lines = csv.writer(out)
    lines.writerow(str(column.label) for column in table.columns)
    for row in table.rows:
        lines.writerow(_plain(cell) for cell in row)
    return out.getvalue()


def _plain(cell: Cell) -> object:
    match cell:
        case Money(amount, currency):
            return Decimal(amount).scaleb(-money.decimals(currency))
        case Share(part, whole):
            return f"{part / whole:.6f}" if whole > 0 else ""
        case Whose(number, _):
            return number
        case str():
            return f"'{cell}" if cell.startswith(FORMULA) else cell
        case None:
            return ""
    return cell
