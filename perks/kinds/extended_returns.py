"""Extended returns: goods may be sent back for longer. It tells the shop the window; the shop keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from django.utils.translation import gettext_lazy, ngettext
from pydantic import Field

from perks.kinds.base import Effect, KindSettings, Question, Refusal, Words
from perks.shown import Better, Shown

if TYPE_CHECKING:
    from perks.basket import Line

CODE = "extended_returns"
LABEL = gettext_lazy("Longer to return")


class Settings(KindSettings):
    """`days` from the delivery. Lines of `excluded_categories`, and if so set those of a sale, keep the usual time."""

    days: Annotated[int, Shown(gettext_lazy("Days"), gettext_lazy("From the delivery on."), Better.MORE)] = Field(
        ge=1, le=3650
    )
    excluded_categories: Annotated[
        frozenset[Words], Shown(gettext_lazy("Not for these categories"), better=Better.NARROWER)
    ] = frozenset()
    not_on_sale: Annotated[bool, Shown(gettext_lazy("Not for goods in a sale"), better=Better.LESS)] = False

    def covers(self, line: Line) -> bool:
        if self.not_on_sale and line.sale is not None:
            return False
        return self.excluded_categories.isdisjoint(line.categories)


def refuse(settings: Settings, question: Question) -> Refusal | None:
    lines = question.basket.lines if question.basket else []
    if lines and not any(settings.covers(line) for line in lines):
        return Refusal("item_excluded")
    return None


def effect(settings: Settings, question: Question) -> Effect:
    lines = question.basket.lines if question.basket else []
    covered = tuple(line.id for line in lines if settings.covers(line))
    return Effect("returns", days=settings.days, covers=covered if len(covered) < len(lines) else None)


def sentence(settings: Settings, question: Question) -> str:
    filled = {"days": settings.days}
    if effect(settings, question).covers is None:
        return ngettext("%(days)s day to return.", "%(days)s days to return.", settings.days) % filled
    return (
        ngettext(
            "%(days)s day to return the items that qualify.",
            "%(days)s days to return the items that qualify.",
            settings.days,
        )
        % filled
    )


def words(settings: Settings) -> str:
    return ngettext("%(days)s day to return", "%(days)s days to return", settings.days) % {"days": settings.days}
