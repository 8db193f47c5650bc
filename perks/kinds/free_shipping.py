"""Free shipping: takes the delivery charge off, for some countries and methods, up to a sum if one is set."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Annotated

from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _
from pydantic import Field

from membership import money
from perks import places
from perks.kinds.base import Amounts, Effect, KindSettings, Listed, Question, Refusal, Words, below
from perks.shown import Better, Shown

if TYPE_CHECKING:
    from collections.abc import Iterable

CODE = "free_shipping"
LABEL = gettext_lazy("Free delivery")

Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]


class Settings(KindSettings):
    """`countries` and `methods`: None means all. `minimum_basket`: the goods must cost at least that much.
    `maximum`: no more than this is taken off one delivery."""

    countries: Annotated[
        tuple[Country, ...] | None,
        Shown(gettext_lazy("Countries"), gettext_lazy("None chosen: all."), Better.WIDER),
    ] = None
    methods: Annotated[
        tuple[Words, ...] | None,
        Shown(
            gettext_lazy("Delivery methods"),
            gettext_lazy("As the shop calls them (standard, express), one a line. Empty: all."),
            Better.WIDER,
        ),
    ] = None
    minimum_basket: Annotated[
        Amounts | None, Shown(gettext_lazy("Minimum basket"), gettext_lazy("Of the goods."), Better.LESS)
    ] = None
    maximum: Annotated[
        Amounts | None, Shown(gettext_lazy("At most off one delivery"), gettext_lazy("Empty: all of it."), Better.MORE)
    ] = None

    def amounts(self) -> Iterable[Amounts | None]:
        return (self.minimum_basket, self.maximum)


def refuse(settings: Settings, question: Question) -> Refusal | None:
    basket = question.basket
    if basket is None or basket.shipping is None:
        return Refusal("nothing_eligible")
    if settings.countries is not None and basket.shipping.country not in settings.countries:
        return Refusal("country_excluded", {"country": places.name(basket.shipping.country)})
    if settings.methods is not None and basket.shipping.method not in settings.methods:
        return Refusal("method_excluded", {"method": places.method(basket.shipping.method)})
    return below(settings.minimum_basket, basket)


def effect(settings: Settings, question: Question) -> Effect:
    assert question.basket is not None
    most = settings.maximum[question.basket.currency] if settings.maximum else question.room.shipping
    return Effect("shipping", amount_off=question.room.take_shipping(most))


def sentence(settings: Settings, question: Question) -> str:
    assert question.basket is not None
    assert question.basket.shipping is not None
    shipping = question.basket.shipping
    return _sentence(get_language() or "en", shipping.method, shipping.country)


@lru_cache(maxsize=4096)
def _sentence(language: str, method: str, country: str) -> str:
    """Kept per language: looking up the words took longer than the rule itself."""
    filled = {"method": places.method(method), "country": places.name(country)}
    return _("Free %(method)s delivery to %(country)s.") % filled


def words(settings: Settings) -> str:
    minimum = [
        money.text(amount, code, get_language() or "en") for code, amount in (settings.minimum_basket or {}).items()
    ]
    parts = [_by_method(settings)]
    if minimum:
        parts.append(_("from %(minimum)s on") % {"minimum": " / ".join(minimum)})
    if settings.countries is not None:
        count = len(settings.countries)
        parts.append(ngettext("to %(count)s country", "to %(count)s countries", count) % {"count": count})
    return ", ".join(parts)


def listed(settings: Settings) -> Listed | None:
    return Listed(_("Which countries"), places.names(settings.countries)) if settings.countries is not None else None


def _by_method(settings: Settings) -> str:
    if settings.methods is None:
        return _("Free delivery on every order, by any method")
    if "express" in settings.methods:
        return _("Free delivery on every order, express too")
    if settings.methods == ("standard",):
        return _("Free standard delivery on every order")
    methods = ", ".join(places.method(code) for code in settings.methods)
    return _("Free delivery on every order (%(methods)s)") % {"methods": methods}
