"""A table's drawn columns as horizontal bars. Lengths are shares of the width, so that nothing has to be scaled and
letters stay as large as the page's. The table stands beneath it and is the truth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from membership.console.reports import Money, Share, Whose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from membership.console.reports import Cell, Row, Table

BAR, GAP, FROM, WIDEST = 14, 8, 30, 50  # pixels high and between; per cent: where bars begin, how long they get


@dataclass(frozen=True)
class Bar:
    """One number of one row. `y` in pixels, `width` and `after` (where its number stands) in per cent."""

    label: str
    series: int
    y: int
    width: float
    after: float
    text: str

    @property
    def start(self) -> int:
        return FROM

    @property
    def text_y(self) -> int:
        return self.y + BAR - 3


@dataclass(frozen=True)
class Drawing:
    bars: list[Bar]
    series: list[str]
    height: int


def of(table: Table) -> Drawing | None:
    """None where there is nothing to draw. Amounts are only compared with their own currency's."""
    drawn = [i for i, column in enumerate(table.columns) if column.drawn]
    longest: dict[str, int] = {}
    for unit, size in (_measured(row[i]) for row in table.rows for i in drawn):
        longest[unit] = max(longest.get(unit, 0), size)
    if not any(longest.values()):
        return None
    bars = list(_bars(table, drawn, longest))
    return Drawing(bars, [str(table.columns[i].label) for i in drawn], bars[-1].y + BAR + GAP)


def _bars(table: Table, drawn: list[int], longest: dict[str, int]) -> Iterator[Bar]:
    y = 0
    for row in table.rows:
        for series, i in enumerate(drawn):
            unit, size = _measured(row[i])
            width = round(WIDEST * size / longest[unit], 2) if longest[unit] else 0
            label = _label(row, drawn[0]) if series == 0 else ""
            yield Bar(label, series, y, width, FROM + width + 1, str(row[i]) if size else "")
            y += BAR
        y += GAP


def _label(row: Row, first: int) -> str:
    """What the row is about: its first cell, and the words beside it before the numbers begin."""
    head, *others = [cell.name if isinstance(cell, Whose) else cell for cell in row[:first]]
    return ", ".join([str(head), *(cell for cell in others if isinstance(cell, str))])


def _measured(cell: Cell) -> tuple[str, int]:
    if isinstance(cell, Money):
        return cell.currency, max(cell.amount, 0)
    if isinstance(cell, Share):
        return "share", round(1000 * cell.part / cell.whole) if cell.whole > 0 else 0
    return "", max(cell, 0) if isinstance(cell, int) else 0
