"""Birthday gift: an article in the parcel, or a sum off the basket, once around each birthday."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, ClassVar, NamedTuple, Self
from zoneinfo import ZoneInfo

from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from pydantic import Field, model_validator

from membership import calendar, money
from perks.allowances import Allowance
from perks.kinds.base import About, Amounts, Effect, KindSettings, Question, Refusal, Words, below, off_the_basket
from perks.shown import Better, Shown

if TYPE_CHECKING:
    from collections.abc import Iterable

CODE = "birthday_gift"
LABEL = gettext_lazy("Birthday gift")
LAST = True

Days = Annotated[int, Field(ge=0, le=90)]


class Settings(KindSettings):
    """From `days_before` the birthday to `days_after` it, whole days of the member's zone: `sku`, or `amount` off.

    Its allowance is counted by birthday, not by calendar year: a window over New Year's Eve gives one gift. Who was
    born on 29 February has their day on the 28th in common years.
    """

    NEEDS_BIRTHDAY: ClassVar[bool] = True

    days_before: Annotated[Days, Shown(gettext_lazy("Days before the birthday"), better=Better.MORE)] = 7
    days_after: Annotated[Days, Shown(gettext_lazy("Days after the birthday"), better=Better.MORE)] = 7
    sku: Annotated[
        Words | None,
        Shown(gettext_lazy("Article"), gettext_lazy("Its number in the shop. Or name a sum instead.")),
    ] = None
    amount: Annotated[Amounts | None, Shown(gettext_lazy("Sum off the basket"), better=Better.MORE)] = None
    minimum_basket: Annotated[
        Amounts | None, Shown(gettext_lazy("Minimum basket"), gettext_lazy("Of the goods."), Better.LESS)
    ] = None
    allowance: Annotated[Allowance, Shown(gettext_lazy("How often"), better=Better.OWN)] = Allowance(
        uses=1, every="year"
    )

    @model_validator(mode="after")
    def _one_gift_by_birthday(self) -> Self:
        if (self.sku is None) == (self.amount is None):
            raise ValueError(_("Name either an article or a sum of money."))
        if self.allowance.every != "year" or self.allowance.carry_over:
            raise ValueError(_("A birthday gift is for one birthday: let its period be the year, without carry-over."))
        return self

    def amounts(self) -> Iterable[Amounts | None]:
        return (self.amount, self.minimum_basket)

    def period(self, at: datetime, member: About) -> tuple[str, datetime | None]:
        if member.birthday is None:
            return "birthday", None
        window = self.window(at, member.birthday, member.zone)
        return f"birthday-{window.year}", _window(*self._around(member), window.year + 1).starts_at

    def usable_from(self, at: datetime, member: About) -> datetime | None:
        if member.birthday is None:
            return None
        starts_at = self.window(at, member.birthday, member.zone).starts_at
        return starts_at if starts_at > at else None

    def window(self, at: datetime, birthday: tuple[int, int], zone: str) -> Window:
        """The window that `at` lies in, or the next one."""
        around = self._around(About(zone, birthday))
        year = at.astimezone(ZoneInfo(zone)).year
        return next(w for y in (year - 1, year, year + 1, year + 2) if (w := _window(*around, y)).ends_at > at)

    def _around(self, member: About) -> tuple[tuple[int, int], str, int, int]:
        assert member.birthday is not None
        return member.birthday, member.zone, self.days_before, self.days_after


class Window(NamedTuple):
    """[starts_at, ends_at) around the birthday of `year`."""

    year: int
    starts_at: datetime
    ends_at: datetime


@lru_cache(maxsize=8192)
def _window(birthday: tuple[int, int], zone: str, before: int, after: int, year: int) -> Window:
    month, day = birthday
    leap_day = (month, day) == (2, 29)
    the_day = date(year, 3, 1) - timedelta(days=1) if leap_day else date(year, month, day)
    starts_at = calendar.day_start(the_day - timedelta(days=before), zone)
    return Window(year, starts_at, calendar.day_start(the_day + timedelta(days=after + 1), zone))


def refuse(settings: Settings, question: Question) -> Refusal | None:
    member = question.member
    if member.birthday is None:
        return Refusal("birthday_unknown")
    window = settings.window(question.at, member.birthday, member.zone)
    if question.at < window.starts_at:
        return Refusal("outside_window", opens_at=window.starts_at)
    question.changes.append(window.ends_at)
    return _basket_too_small(settings, question)


def _basket_too_small(settings: Settings, question: Question) -> Refusal | None:
    basket = question.basket
    if basket is None or not basket.amount:
        return Refusal("nothing_eligible") if settings.amount or settings.minimum_basket else None
    return below(settings.minimum_basket, basket)


def effect(settings: Settings, question: Question) -> Effect:
    if settings.amount is None:
        return Effect("gift", sku=settings.sku)
    assert question.basket is not None
    return off_the_basket(settings.amount[question.basket.currency], question)


def sentence(settings: Settings, question: Question) -> str:
    if settings.amount is None or question.basket is None:
        return _("Happy birthday! Your gift is in the parcel.")
    currency = question.basket.currency
    amount = money.text(settings.amount[currency], currency, get_language() or "en")
    return _("Happy birthday! %(amount)s off this basket.") % {"amount": amount}


def words(settings: Settings) -> str:
    if settings.amount is None:
        return _("A gift for your birthday")
    amounts = [money.text(amount, code, get_language() or "en") for code, amount in settings.amount.items()]
    return _("%(amount)s for your birthday") % {"amount": " / ".join(amounts)}
