"""Money, dates and the laurel sprig in templates and mails, in the reader's language and zone."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

from django import template
from django.conf import settings
from django.template import defaultfilters
from django.utils import timezone, translation
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from membership import calendar, numbers
from membership import money as money_words

register = template.Library()

# Each of these also names the ones below it, hence the order.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
)
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


@register.filter
def browser(user_agent: str) -> str:
    """ "Firefox, Windows" out of what a browser says of itself; the first name that fits is the honest one."""
    name = next((name for mark, name in BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in SYSTEMS if mark in user_agent), "")
    return ", ".join(part for part in (name, system) if part) or user_agent[:40] or gettext("A browser")


@register.filter(needs_autoescape=True)
def link_ours(text: str, autoescape: bool = True) -> SafeString:
    """Escaped text in which addresses of this installation are links, and no other: a name may hold one too."""
    ours = re.compile(re.escape(conditional_escape(settings.BASE_URL)) + r"/[^\s<>\"']*")
    return mark_safe(ours.sub(r'<a href="\g<0>">\g<0></a>', conditional_escape(text)))  # noqa: S308  # escaped above


@register.inclusion_tag("partials/sprig.html")
def sprig(pairs: int) -> dict[str, Any]:
    """A laurel sprig with so many pairs of leaves: the higher the tier, the more it carries."""
    pairs = max(1, min(pairs, 7))
    rows = [{"y": 24 + 15 * i, "scale": min(1, 0.7 + 0.15 * i)} for i in range(pairs)]
    return {"rows": rows, "foot": 24 + 15 * pairs}
