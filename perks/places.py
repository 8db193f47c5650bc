"""Names of countries and delivery methods for sentences shown to shoppers; other codes stand for themselves."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from collections.abc import Iterable

COUNTRIES = {
    "AT": _("Austria"),
    "AU": _("Australia"),
    "BE": _("Belgium"),
    "BG": _("Bulgaria"),
    "CA": _("Canada"),
    "CH": _("Switzerland"),
    "CY": _("Cyprus"),
    "CZ": _("Czechia"),
    "DE": _("Germany"),
    "DK": _("Denmark"),
    "EE": _("Estonia"),
    "ES": _("Spain"),
    "FI": _("Finland"),
    "FR": _("France"),
    "GB": _("the United Kingdom"),
    "GR": _("Greece"),
    "HR": _("Croatia"),
    "HU": _("Hungary"),
    "IE": _("Ireland"),
    "IS": _("Iceland"),
    "IT": _("Italy"),
    "JP": _("Japan"),
    "LI": _("Liechtenstein"),
    "LT": _("Lithuania"),
    "LU": _("Luxembourg"),
    "LV": _("Latvia"),
    "MT": _("Malta"),
    "NL": _("the Netherlands"),
    "NO": _("Norway"),
    "PL": _("Poland"),
    "PT": _("Portugal"),
    "RO": _("Romania"),
    "SE": _("Sweden"),
    "SI": _("Slovenia"),
    "SK": _("Slovakia"),
    "US": _("the United States"),
}
METHODS = {"standard": _("standard"), "express": _("express"), "pickup": _("pick-up")}


def name(country: str) -> str:
    return str(COUNTRIES.get(country, country))


def names(countries: Iterable[str]) -> list[str]:
    """In the order in which a reader looks for them: article and accents do not count."""
    return sorted(map(name, countries), key=_as_sought)


def _as_sought(name: str) -> str:
    apart = unicodedata.normalize("NFKD", name.casefold().removeprefix("the "))
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def method(code: str) -> str:
    return str(METHODS.get(code, code))
