"""Service: something done for the member at no charge (alterations, personalization, gift wrap). One use a booking."""

from __future__ import annotations

from typing import Annotated

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import Field

from perks import allowances
from perks.kinds.base import Effect, KindSettings, Names, Question, Refusal, Words, localized
from perks.shown import Better, Shown

CODE = "service"
LABEL = gettext_lazy("Free service")


class Settings(KindSettings):
    """`service` in the languages of the shop: "Free alterations". `excluded_categories`: of goods it is not done to.
    `in_portal`: members book it themselves."""

    service: Annotated[Names, Shown(gettext_lazy("Service"), gettext_lazy("As members read it: “Free alterations”."))]
    excluded_categories: Annotated[
        frozenset[Words],
        Shown(
            gettext_lazy("Not for these categories"),
            gettext_lazy("Goods of these categories alone do not open it."),
            Better.NARROWER,
        ),
    ] = Field(default=frozenset())
    in_portal: Annotated[
        bool,
        Shown(gettext_lazy("Members book it in their portal"), gettext_lazy("Otherwise staff do."), Better.MORE),
    ] = False


def refuse(settings: Settings, question: Question) -> Refusal | None:
    """A basket is not needed: a service may be asked for after the purchase."""
    basket = question.basket
    if basket is None or not basket.lines or not settings.excluded_categories:
        return None
    if all(not settings.excluded_categories.isdisjoint(line.categories) for line in basket.lines):
        return Refusal("item_excluded")
    return None


def effect(settings: Settings, question: Question) -> Effect:
    return Effect("service")


def sentence(settings: Settings, question: Question) -> str:
    return _("%(service)s: included.") % {"service": localized(settings.service)}


def words(settings: Settings) -> str:
    if settings.allowance is None:
        return localized(settings.service)
    often = allowances.words(settings.allowance)
    return _("%(service)s, %(often)s") % {"service": localized(settings.service), "often": often}
