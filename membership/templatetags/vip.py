"""Money, dates and the laurel sprig in templates and mails, in the reader's language and zone."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django import template
from django.template import defaultfilters
from django.utils import timezone, translation

from membership import calendar, numbers
from membership import money as money_words

register = template.Library()

# Django's own English date is American; these read well in both English worlds.
DAY_FORMATS = {"en": "j F Y", "de": "j. F Y"}


@register.filter
def money(amount: int, currency: str) -> str:
    """`{{ price.amount|money:price.currency }}`: € 119, or 119 € in German."""
    return money_words.text(amount, currency, translation.get_language() or "en")


@register.filter
def money_exact(amount: int, currency: str) -> str:
    """As `money`, always with its decimals: for columns."""
    return money_words.text(amount, currency, translation.get_language() or "en", exact=True)


@register.filter
def day(value: date | datetime | None) -> str:
    """22 November 2026. A moment is read in the reader's zone."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        value = timezone.localtime(value)
    language = (translation.get_language() or "en")[:2]
    return str(defaultfilters.date(value, DAY_FORMATS.get(language, "j F Y")))


@register.filter
def moment(value: datetime | None) -> str:
    """22 November 2026, 14:05, in the reader's zone."""
    return f"{day(value)}, {timezone.localtime(value):%H:%M}" if value else ""


@register.filter
def last_day(until: datetime | None, zone: str) -> str:
    """The last day that counts before an exclusive end, in the zone the promise was made in."""
    return day(calendar.last_day(until, zone)) if until else ""


@register.filter
def grouped(number: str) -> str:
    """A member number as people read it aloud: 4821 0073 99."""
    return numbers.group(number)


@register.inclusion_tag("partials/sprig.html")
def sprig(pairs: int) -> dict[str, Any]:
    """A laurel sprig with so many pairs of leaves: the higher the tier, the more it carries."""
    pairs = max(1, min(pairs, 7))
    height = 18 + pairs * 13
    return {"height": height, "rows": [18 + 13 * i for i in range(pairs)], "foot": height + 8}
