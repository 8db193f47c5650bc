"""Percent discount: takes a share off each line that qualifies, rounded half-up to the minor unit, line by line."""

from __future__ import annotations

from decimal import Decimal
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Annotated

from django.utils.formats import number_format
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from pydantic import field_validator

from perks.kinds.base import Amounts, Effect, KindSettings, Question, Refusal, Words, below
from perks.shown import Better, Shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perks.basket import Line

CODE = "percent_discount"
LABEL = gettext_lazy("Percent off")


class Settings(KindSettings):
    """`percent` off. Only lines in `categories` or `skus` if set, never those excluded, nor on sale if so set.
    `maximum`: no more than this is taken off one basket. `minimum_basket`: the goods must cost at least that much."""

    percent: Annotated[Decimal, Shown(gettext_lazy("Percent off"), better=Better.MORE)]
    categories: Annotated[
        frozenset[Words] | None,
        Shown(gettext_lazy("Only these categories"), gettext_lazy("One a line. Empty: all."), Better.WIDER),
    ] = None
    skus: Annotated[
        frozenset[Words] | None,
        Shown(
            gettext_lazy("Only these articles"),
            gettext_lazy("One a line. With categories too, either will do."),
            Better.WIDER,
        ),
    ] = None
    excluded_categories: Annotated[
        frozenset[Words], Shown(gettext_lazy("Not for these categories"), better=Better.NARROWER)
    ] = frozenset()
    excluded_skus: Annotated[
        frozenset[Words], Shown(gettext_lazy("Not for these articles"), better=Better.NARROWER)
    ] = frozenset()
    not_on_sale: Annotated[bool, Shown(gettext_lazy("Not for goods in a sale"), better=Better.LESS)] = False
    minimum_basket: Annotated[
        Amounts | None, Shown(gettext_lazy("Minimum basket"), gettext_lazy("Of the goods."), Better.LESS)
    ] = None
    maximum: Annotated[
        Amounts | None, Shown(gettext_lazy("At most off one basket"), gettext_lazy("Empty: all of it."), Better.MORE)
    ] = None

    @field_validator("percent")
    @classmethod
    def _percent(cls, value: Decimal) -> Decimal:
        if not 0 < value <= 100:
            raise ValueError(_("the discount must be more than 0 and at most 100 percent"))
        if value * 100 != int(value * 100):
            raise ValueError(_("a percentage has at most two decimals"))
        return value

    def amounts(self) -> Iterable[Amounts | None]:
        return (self.minimum_basket, self.maximum)

    def covers(self, line: Line) -> bool:
        if line.sku in self.excluded_skus or not self.excluded_categories.isdisjoint(line.categories):
            return False
        if self.not_on_sale and line.sale is not None:
            return False
        if self.categories is None and self.skus is None:
            return True
        named = self.skus is not None and line.sku in self.skus
        return named or (self.categories is not None and not self.categories.isdisjoint(line.categories))

    @cached_property
    def basis_points(self) -> int:
        return int(self.percent * 100)

    def off(self, amount: int) -> int:
        """The discount on one line: half-up, in whole minor units."""
        return (amount * self.basis_points + 5000) // 10000


def refuse(settings: Settings, question: Question) -> Refusal | None:
    basket = question.basket
    if basket is None or not any(line.amount for line in basket.lines):
        return Refusal("nothing_eligible")
    if not any(settings.covers(line) for line in basket.lines):
        return Refusal("item_excluded")
    return below(settings.minimum_basket, basket)


def effect(settings: Settings, question: Question) -> Effect:
    """Lines are served by id, so that their order in the basket does not matter where a maximum cuts."""
    assert question.basket is not None
    left = settings.maximum[question.basket.currency] if settings.maximum else None
    taken: dict[str, int] = {}
    for line in sorted(question.basket.lines, key=lambda line: line.id) if left else question.basket.lines:
        if not settings.covers(line):
            continue
        off = settings.off(line.amount)
        taken[line.id] = question.room.take_line(line.id, off if left is None else min(off, left))
        if left is not None:
            left -= taken[line.id]
    lines = tuple((line.id, taken[line.id]) for line in question.basket.lines if taken.get(line.id))
    return Effect("lines", amount_off=sum(amount for _id, amount in lines), lines=lines)


def _percent(settings: Settings) -> str:
    places = max(0, -int(settings.percent.normalize().as_tuple().exponent))
    return number_format(settings.percent, places)


def _for_everything(settings: Settings) -> bool:
    return settings.categories is None and settings.skus is None and not settings.excluded_categories


def sentence(settings: Settings, question: Question) -> str:
    for_all = _for_everything(settings) and not settings.excluded_skus and not settings.not_on_sale
    return _sentence(get_language() or "en", settings.percent, for_all)


@lru_cache(maxsize=512)
def _sentence(language: str, percent: Decimal, for_all: bool) -> str:
    places = max(0, -int(percent.normalize().as_tuple().exponent))
    filled = {"percent": number_format(percent, places)}
    if for_all:
        return _("%(percent)s %% off everything.") % filled
    return _("%(percent)s %% off the items that qualify.") % filled


def words(settings: Settings) -> str:
    if not _for_everything(settings):
        return _("%(percent)s %% off selected items") % {"percent": _percent(settings)}
    if settings.not_on_sale:
        return _("%(percent)s %% off everything outside sales") % {"percent": _percent(settings)}
    return _("%(percent)s %% off everything, always") % {"percent": _percent(settings)}
