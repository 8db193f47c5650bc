"""Fixed credit: value cheques. Every month, quarter or year a sum comes off one basket; what is left of it is lost."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Self
from zoneinfo import ZoneInfo

from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from pydantic import Field, model_validator

from membership import calendar, money
from perks import allowances
from perks.allowances import Allowance
from perks.kinds.base import Amounts, Effect, KindSettings, Question, Refusal, below, off_the_basket
from perks.shown import Better, Shown

if TYPE_CHECKING:
    from collections.abc import Iterable

CODE = "fixed_credit"
LABEL = gettext_lazy("Value cheque")
LAST = True


class Settings(KindSettings):
    """`amount` off one basket for each use of the allowance. `good_for_days`: from the first day of its period on, in
    the member's zone; without it, to the end of the period, or of the next where uses carry over."""

    amount: Annotated[Amounts, Shown(gettext_lazy("Sum of one cheque"), better=Better.MORE)]
    minimum_basket: Annotated[
        Amounts | None, Shown(gettext_lazy("Minimum basket"), gettext_lazy("Of the goods."), Better.LESS)
    ] = None
    good_for_days: Annotated[
        int | None,
        Shown(
            gettext_lazy("Days it is good for"),
            gettext_lazy(
                "From the beginning of its period. Empty: to its end, or that of the next if it carries over."
            ),
            Better.MORE,
        ),
    ] = Field(default=None, ge=1, le=366)
    allowance: Annotated[Allowance, Shown(gettext_lazy("How often"), better=Better.OWN)] = Allowance(
        uses=1, every="quarter"
    )

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if not self.amount or not all(self.amount.values()):
            raise ValueError(_("Name a sum of more than nothing in at least one currency."))
        if self.allowance.every == "term":
            raise ValueError(
                _("A value cheque is for a month, a quarter or a year: choose one of these as its period.")
            )
        if self.allowance.carry_over and self.good_for_days:
            raise ValueError(_("A cheque either carries over or is good for some days only."))
        return self

    def amounts(self) -> Iterable[Amounts | None]:
        return (self.amount, self.minimum_basket)

    def good_until(self, at: datetime, zone: str) -> datetime | None:
        """Until when the cheque of the period of `at` is good, exclusive; None: as long as the period."""
        starts_at = allowances.starts_at(self.allowance.every, at, zone)
        if self.good_for_days is None or starts_at is None:
            return None
        first = starts_at.astimezone(ZoneInfo(zone)).date()
        return calendar.day_start(first + timedelta(days=self.good_for_days), zone)


def refuse(settings: Settings, question: Question) -> Refusal | None:
    basket = question.basket
    if basket is None or not basket.amount:
        return Refusal("nothing_eligible")
    until = settings.good_until(question.at, question.member.zone)
    if until is not None:
        if question.at >= until:
            return Refusal("outside_window", opens_at=settings.period(question.at, question.member)[1])
        question.changes.append(until)
    return below(settings.minimum_basket, basket)


def effect(settings: Settings, question: Question) -> Effect:
    assert question.basket is not None
    return off_the_basket(settings.amount[question.basket.currency], question)


def sentence(settings: Settings, question: Question) -> str:
    assert question.basket is not None
    currency = question.basket.currency
    amount = money.text(settings.amount[currency], currency, get_language() or "en")
    return _("Your value cheque: %(amount)s off this basket.") % {"amount": amount}


def words(settings: Settings) -> str:
    amounts = [money.text(amount, code, get_language() or "en") for code, amount in settings.amount.items()]
    filled = {"amount": " / ".join(amounts), "often": allowances.words(settings.allowance)}
    return _("A value cheque of %(amount)s, %(often)s") % filled
