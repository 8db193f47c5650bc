"""Amounts as Stripe's pages and descriptions write them."""

from __future__ import annotations

from django.utils import formats, translation

SYMBOLS = {"eur": "€", "usd": "$", "gbp": "£"}
NO_MINOR_UNIT = frozenset({"jpy", "krw", "vnd", "clp", "isk"})  # of those Stripe counts in whole units


def text(amount: int, currency: str) -> str:
    """11900, "eur" -> €119.00"""
    number = f"{amount:,}" if currency in NO_MINOR_UNIT else f"{amount / 100:,.2f}"
    symbol = SYMBOLS.get(currency)
    return f"{symbol}{number}" if symbol else f"{number} {currency.upper()}"


def localized(amount: int, currency: str) -> str:
    """As a page writes it in the reader's language: € 119.00, or 119,00 € in German."""
    places = 0 if currency in NO_MINOR_UNIT else 2
    number = formats.number_format(amount / 10**places, decimal_pos=places, use_l10n=True, force_grouping=True)
    symbol = SYMBOLS.get(currency, currency.upper())
    german = (translation.get_language() or "").startswith("de")
    return f"{number}\N{NO-BREAK SPACE}{symbol}" if german else f"{symbol}\N{NO-BREAK SPACE}{number}"
