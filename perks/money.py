"""Money in sentences: minor units and an ISO 4217 code, in the language of the moment."""

from __future__ import annotations

from decimal import Decimal

from django.utils.formats import number_format

SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "CHF": "CHF"}
# ISO 4217: currencies without a minor unit, and those with three decimals. All others have two.
NO_DECIMALS = frozenset(
    ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF")
)
THREE_DECIMALS = frozenset(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"))


def decimals(currency: str) -> int:
    return 0 if currency in NO_DECIMALS else 3 if currency in THREE_DECIMALS else 2


def words(amount: int, currency: str) -> str:
    """€ 119, € 4.95, ¥ 5,000: whole sums without decimals, a no-break space after the sign."""
    places = decimals(currency)
    value = Decimal(amount).scaleb(-places)
    if value == value.to_integral_value():
        places = 0
    return f"{SYMBOLS.get(currency, currency)}\u00a0{number_format(value, places, force_grouping=True)}"
