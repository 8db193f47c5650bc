"""Amounts as Stripe's pages and descriptions write them."""

from __future__ import annotations

SYMBOLS = {"eur": "€", "usd": "$", "gbp": "£"}
NO_MINOR_UNIT = frozenset({"jpy", "krw", "vnd", "clp", "isk"})  # of those Stripe counts in whole units


def text(amount: int, currency: str) -> str:
    """11900, "eur" -> €119.00"""
    number = f"{amount:,}" if currency in NO_MINOR_UNIT else f"{amount / 100:,.2f}"
    symbol = SYMBOLS.get(currency)
    return f"{symbol}{number}" if symbol else f"{number} {currency.upper()}"
