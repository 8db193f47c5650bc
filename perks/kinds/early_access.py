"""Early access: opens a sale some hours before the public opening. It takes nothing off; the shop opens its doors."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from pydantic import Field

from perks.kinds.base import Effect, KindSettings, Question, Refusal, SaleDates, Words
from perks.shown import Better, Shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perks.facts import Held

CODE = "early_access"
LABEL = gettext_lazy("Early access to sales")


class Settings(KindSettings):
    """`hours` before the public opening. `sales`: codes of the sales it opens (None: every sale)."""

    hours: Annotated[
        int, Shown(gettext_lazy("Hours"), gettext_lazy("Before the sale opens to the public."), Better.MORE)
    ] = Field(ge=1, le=24 * 60)
    sales: Annotated[
        frozenset[Words] | None,
        Shown(gettext_lazy("Sales"), gettext_lazy("Their codes, one a line. Empty: every sale."), Better.WIDER),
    ] = None

    def opens_at(self, sale: SaleDates) -> datetime:
        return sale.opens_at - timedelta(hours=self.hours)


def asked_about(settings: Settings | None, question: Question) -> list[SaleDates]:
    """The sales that the basket's lines belong to; without such lines, the next one that is not over."""
    covered = [
        s for s in question.sales.values() if settings is None or settings.sales is None or s.code in settings.sales
    ]
    named = {line.sale for line in question.basket.lines if line.sale} if question.basket else set()
    if named:
        return [s for s in covered if s.code in named]
    ahead = [s for s in covered if question.at < s.closes_at]
    return sorted(ahead, key=lambda s: (s.opens_at, s.code))[:1]


def refuse(settings: Settings, question: Question) -> Refusal | None:
    sales = asked_about(settings, question)
    if not sales:
        return Refusal("nothing_eligible")
    if any(question.at >= sale.closes_at for sale in sales):
        return Refusal("closed")
    opens_at = max(settings.opens_at(sale) for sale in sales)
    if question.at < opens_at:
        return Refusal("not_open_yet", {"opens_at": opens_at}, opens_at)
    return None


def effect(settings: Settings, question: Question) -> Effect:
    return Effect("sale", opens_at=max(settings.opens_at(sale) for sale in asked_about(settings, question)))


def sentence(settings: Settings, question: Question) -> str:
    sale = asked_about(settings, question)[0]
    if question.at >= sale.opens_at:
        return _("The sale is open.")
    return ngettext(
        "Open for you %(hours)s hour before everybody else.",
        "Open for you %(hours)s hours before everybody else.",
        settings.hours,
    ) % {"hours": settings.hours}


def words(settings: Settings) -> str:
    return ngettext(
        "Every sale %(hours)s hour before it opens to the public",
        "Every sale %(hours)s hours before it opens to the public",
        settings.hours,
    ) % {"hours": settings.hours}


def earliest(sale: SaleDates, held: Iterable[Held]) -> datetime:
    """When the sale opens for somebody who holds these perks: the public opening, or the earliest of theirs."""
    opened = [sale.opens_at]
    for one in held:
        if one.kind == CODE:
            settings = Settings.model_validate_json(one.settings)
            if settings.sales is None or sale.code in settings.sales:
                opened.append(settings.opens_at(sale))
    return min(opened)
