"""Amounts in the hosted pages."""

from __future__ import annotations

from django import template

from billing.emulator import money

register = template.Library()


@register.filter
def amount(minor: int, currency: str) -> str:
    """{{ 11900|amount:"eur" }}"""
    return money.localized(minor, currency)
