"""Amounts in words: integer minor units and an ISO currency become what a reader of a language expects. Exact."""

from __future__ import annotations

# ISO 4217 currencies whose minor unit is not a hundredth (docs.stripe.com/currencies lists the same).
NO_DECIMALS = frozenset(
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"]
)
THREE_DECIMALS = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])
SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥"}
NBSP = "\u00a0"


def decimals(currency: str) -> int:
    """How many digits stand behind the point in `currency`."""
    if currency in NO_DECIMALS:
        return 0
    return 3 if currency in THREE_DECIMALS else 2


def text(amount: int, currency: str, language: str = "en", *, exact: bool = False) -> str:
    """`amount` minor units for a reader: "€ 119", "€ 119.50", "119,50 €", "¥ 17,500". `exact` keeps ".00" (tables)."""
    point, comma = (",", ".") if language.startswith("de") else (".", ",")
    places = decimals(currency)
    whole, rest = divmod(abs(amount), 10**places)
    number = f"{whole:,}".replace(",", comma)
    if places and (rest or exact):
        number += f"{point}{rest:0{places}}"
    return ("−" if amount < 0 else "") + _with_symbol(number, currency, language)


def _with_symbol(number: str, currency: str, language: str) -> str:
    symbol = SYMBOLS.get(currency, currency)
    if language.startswith("de"):
        return f"{number}{NBSP}{symbol}"
    return f"{symbol}{NBSP}{number}"
