"""What all hosted pages share: whose language they speak, and what is said when there is nothing to see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.shortcuts import render
from django.utils import translation

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

NOTHING = "local_stripe/ended.html"


def spoken(*asked: str | None) -> str:
    """The first of these locales that there are words for, else the reader's language."""
    known = {code for code, _ in settings.LANGUAGES}
    for locale in asked:
        language = (locale or "").split("-")[0]
        if language in known:
            return language
    return translation.get_language() or "en"


def page(request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """A page in the language that is active now."""
    response = render(request, template, context, status=status)
    response.headers["Content-Language"] = translation.get_language() or "en"
    return response


def nothing(
    request: HttpRequest, reason: str = "unknown", *, status: int = 404, back: str | None = None
) -> HttpResponse:
    """Why there is no such page: it is unknown, or has expired."""
    return page(request, NOTHING, {"reason": reason, "back": back}, status=status)
