"""The rehearsal as a picture: members, grace and those who left over time, and under them the money that stayed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from operator import attrgetter

from billing.rehearsal.books import Day

WIDTH, HEIGHT, LEFT, RIGHT = 960, 250, 70, 90
LINES = (("current", "#1d6b4f", "members"), ("grace", "#b4690e", "in grace"), ("over", "#6b6b6b", "over"))
MONEY = "#2b4c8c"


def draw(days: Sequence[Day], *, title: str) -> str:
    """An SVG of two charts, with a title and a description for who does not see it."""
    last = days[-1]
    told = (
        f"At the end {last.current} members, {last.grace} in grace, {last.over} over; "
        f"{_euros(last.money)} stayed of what was paid."
    )
    top = max(max(d.current, d.grace, d.over) for d in days) or 1
    people = [_line(days, attrgetter(name), color, word, 40, top) for name, color, word in LINES]
    money = _line(days, attrgetter("money"), MONEY, _euros(last.money), 350)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} 640" role="img"',
            ' aria-labelledby="title told" font-family="system-ui, sans-serif" font-size="13">',
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="told">{escape(told)}</desc>',
            f'<rect width="{WIDTH}" height="640" fill="#fffdf8"/>',
            f'<text x="{LEFT}" y="26" font-size="17" fill="#222">{escape(title)}</text>',
            _frame(days, 40, str(top)),
            *people,
            f'<text x="{LEFT}" y="338" fill="#222">Money in, less what went back</text>',
            _frame(days, 350, _euros(max(d.money for d in days))),
            money,
            "</svg>",
        ]
    )


def _frame(days: Sequence[Day], y: int, top: str) -> str:
    bottom, right = y + HEIGHT, WIDTH - RIGHT
    first, last = days[0].at, days[-1].at
    return (
        f'<path d="M{LEFT} {y}V{bottom}H{right}" fill="none" stroke="#999"/>'
        f'<text x="{LEFT - 8}" y="{y + 12}" text-anchor="end" fill="#555">{escape(top)}</text>'
        f'<text x="{LEFT - 8}" y="{bottom}" text-anchor="end" fill="#555">0</text>'
        f'<text x="{LEFT}" y="{bottom + 18}" fill="#555">{first:%d %b %Y}</text>'
        f'<text x="{right}" y="{bottom + 18}" text-anchor="end" fill="#555">{last:%d %b %Y}</text>'
    )


def _line(
    days: Sequence[Day], value: Callable[[Day], int], color: str, word: str, y: int, top: int | None = None
) -> str:
    """One curve with its word at its end. `top`: the value at the upper edge, by default the highest."""
    top = top or max(map(value, days)) or 1
    start, span, wide = days[0].at, days[-1].at - days[0].at, WIDTH - LEFT - RIGHT
    points = [(LEFT + wide * ((d.at - start) / span), y + HEIGHT * (1 - value(d) / top)) for d in days]
    path = "M" + "L".join(f"{x:.1f} {v:.1f}" for x, v in points)
    x, v = points[-1]
    return (
        f'<path d="{path}" fill="none" stroke="{color}" stroke-width="2"/>'
        f'<text x="{x + 6:.1f}" y="{v + 4:.1f}" fill="{color}">{escape(word)}</text>'
    )


def _euros(minor: int) -> str:
    return f"€ {minor / 100:,.0f}"
