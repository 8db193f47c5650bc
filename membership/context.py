"""What every template knows: the programme's name, the languages, and whether this is a demo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings

from membership import clock, time_travel

if TYPE_CHECKING:
    from django.http import HttpRequest

# In their own names, so that a reader finds theirs whatever the page speaks.
LANGUAGES = (("en", "English"), ("de", "Deutsch"))


def programme(request: HttpRequest) -> dict[str, Any]:
    """In demo mode also the clock that the product lives by, which may have been moved, and whether it is being."""
    known: dict[str, Any] = {
        "programme_name": settings.PROGRAMME_NAME,
        "languages": LANGUAGES,
        "demo": settings.VIP_MODE == "demo",
    }
    if known["demo"]:
        known["demo_time"] = clock.now()
        known["demo_moving"] = time_travel.moving()
    return known
