"""The rehearsal as a picture: members, grace and those who left over time, and under them the money that stayed.

It stands by itself: its colors follow the reader's light or dark scheme, and a description says the same in words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from operator import attrgetter

from billing.rehearsal.books import Day

WIDTH, HEIGHT, LEFT, RIGHT, CHART = 960, 660, 76, 124, 200
FIRST, SECOND = 120, 404  # upper edges of the two charts
LINES = (("current", "members"), ("over", "left"), ("grace", "in grace"))
STEPS = (1, 2, 2.5, 5, 10)  # a scale's lines are so far apart, times a power of ten
STYLE = """
svg { --paper: #fbf9f4; --ink: #1b211d; --soft: #5a6059; --line: #e2dccd;
  --current: #1d5a3c; --grace: #a05a00; --over: #6f6a60; --money: #35608a; }
@media (prefers-color-scheme: dark) { svg { --paper: #141815; --ink: #ece9e0; --soft: #aab0a8; --line: #343c36;
  --current: #8fd0a8; --grace: #f0b45c; --over: #a9a498; --money: #8fb8e0; } }
text { font: 13px system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; fill: var(--soft); }
.title { font-size: 20px; font-weight: 650; fill: var(--ink); } .head { font-weight: 600; fill: var(--ink); }
.number { font-variant-numeric: tabular-nums; } .grid { stroke: var(--line); }
.curve { fill: none; stroke-width: 2.25; stroke-linejoin: round; stroke-linecap: round; } .area { opacity: 0.14; }
"""


@dataclass(frozen=True)
class Chart:
    """One of the two: `y` its upper edge, `top` what stands there, `text` how a value of it is written."""

    days: Sequence[Day]
    y: int
    top: float
    step: float
    text: Callable[[float], str]

    def at(self, moment: datetime) -> float:
        start, end = self.days[0].at, self.days[-1].at
        return LEFT + (WIDTH - LEFT - RIGHT) * ((moment - start) / (end - start))

    def height(self, value: float) -> float:
        return self.y + CHART * (1 - value / self.top)

    def frame(self, title: str) -> Iterator[str]:
        """The chart's name and unit, its lines with their numbers, and the quarters under it."""
        right, bottom = WIDTH - RIGHT, self.y + CHART
        yield f'<text class="head" x="{LEFT}" y="{self.y - 16}">{escape(title)}</text>'
        for number in range(round(self.top / self.step) + 1):
            value = number * self.step
            y = self.height(value)
            yield f'<path class="grid" d="M{LEFT} {y:.1f}H{right}"/>'
            yield f'<text class="number" x="{LEFT - 10}" y="{y + 4:.1f}" text-anchor="end">{self.text(value)}</text>'
        for moment in _quarters(self.days[0].at, self.days[-1].at):
            x = self.at(moment)
            year = f" {moment:%Y}" if moment.month == 1 else ""
            yield f'<path class="grid" d="M{x:.1f} {bottom}v6"/>'
            yield f'<text x="{x:.1f}" y="{bottom + 22}" text-anchor="middle">{moment:%b}{year}</text>'

    def curve(self, name: str, *, area: bool = False) -> Iterator[str]:
        value = attrgetter(name)
        path = "L".join(f"{self.at(day.at):.1f} {self.height(value(day)):.1f}" for day in self.days)
        if area:
            floor = f"L{self.at(self.days[-1].at):.1f} {self.y + CHART}L{LEFT} {self.y + CHART}Z"
            yield f'<path class="area" d="M{path}{floor}" fill="var(--{name})"/>'
        yield f'<path class="curve" d="M{path}" stroke="var(--{name})"/>'

    def words(self, told: Sequence[tuple[str, str]]) -> Iterator[str]:
        """Beside the end of each curve its name, none upon another: this is the legend. `told`: field and words."""
        last, below = self.days[-1], float(self.y + CHART)
        for name, text in sorted(told, key=lambda one: getattr(last, one[0])):
            y = min(self.height(getattr(last, name)) + 4, below)
            below = y - 17
            x = WIDTH - RIGHT + 10
            yield f'<text class="head number" x="{x}" y="{y:.1f}" style="fill: var(--{name})">{escape(text)}</text>'


def draw(days: Sequence[Day], *, title: str, told: str) -> str:
    """An SVG of two charts. `told`: what the reader should know beside them, in a sentence or two."""
    last = days[-1]
    people = _chart(days, FIRST, max(max(d.current, d.grace, d.over) for d in days), "{:,.0f}".format)
    euros = [Day(d.at, d.current, d.grace, d.over, d.money // 100) for d in days]
    money = _chart(euros, SECOND, max(d.money for d in euros), "{:,.0f}".format)
    spoken = (
        f"At the end there are {last.current} members, {last.grace} in grace, {last.over} have left; "
        f"{_euros(last.money)} stayed. {told}"
    )
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="t d">',
            f'<title id="t">{escape(title)}</title>',
            f'<desc id="d">{escape(spoken)}</desc>',
            f"<style>{STYLE}</style>",
            f'<rect width="{WIDTH}" height="{HEIGHT}" style="fill: var(--paper)"/>',
            f'<text class="title" x="{LEFT}" y="44">{escape(title)}</text>',
            f'<text x="{LEFT}" y="68">{escape(told)}</text>',
            *people.frame("People, by standing"),
            *(part for name, _ in LINES for part in people.curve(name, area=name == "current")),
            *people.words([(name, f"{getattr(last, name)} {word}") for name, word in LINES]),
            *money.frame("Money taken, less what went back, in €"),
            *money.curve("money", area=True),
            *money.words([("money", _euros(last.money))]),
            "</svg>\n",
        ]
    )


def _chart(days: Sequence[Day], y: int, highest: float, text: Callable[[float], str]) -> Chart:
    """With a round scale: four or five lines, the uppermost at `highest` or a little above."""
    power = 10.0 ** (len(str(int(max(highest, 1)))) - 2)
    step = next(s * p for p in (power, power * 10) for s in STEPS if s * p * 5 >= highest)
    step = max(step, 1)
    return Chart(days, y, step * max(1, -(-highest // step)), step, text)


def _quarters(start: datetime, end: datetime) -> Iterator[datetime]:
    moment = start.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    while moment <= end:
        if moment >= start and moment.month % 3 == 1:
            yield moment
        moment = moment.replace(month=moment.month % 12 + 1, year=moment.year + moment.month // 12)


def _euros(minor: int) -> str:
    return f"€ {minor / 100:,.0f}"
