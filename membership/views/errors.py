"""Pages for what went wrong: what happened, what to do, and a reference where a person must look."""

from __future__ import annotations

import logging
import secrets
from typing import TYPE_CHECKING

from django.http import HttpResponse
from django.shortcuts import render
from django.template import loader
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from django.http import HttpRequest

log = logging.getLogger("vip.errors")


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return page(request, 400, _("That request could not be read"), _("Please go back and try again."))


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return page(request, 403, _("This page is not open to you"), _("If you think it should be, please write to us."))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form was open too long, its session ended, or cookies are off. Nothing was done."""
    title = _("The form had expired")
    return page(
        request, 403, title, _("Nothing was changed. Please go back, load the page again and send it once more.")
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    title = _("There is nothing at this address")
    return page(request, 404, title, _("It may have moved, or the link was cut short on its way."))


def only_sent(request: HttpRequest, refusal: HttpResponse) -> HttpResponse:
    """An address that takes what a form sends, opened like a page. Nothing was done."""
    title = _("This address only takes what a form sends")
    told = page(request, 405, title, _("Nothing was changed. Please go back to the page with the button you pressed."))
    told.headers["Allow"] = refusal.headers["Allow"]
    return told


def too_many(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    title = _("That was a little too often")
    text = _("To keep accounts safe we limit how often this can be tried. Please wait a few minutes and try again.")
    return page(request, 429, title, text)


def server_error(request: HttpRequest) -> HttpResponse:
    """Needs no database and no session: those may be what failed."""
    reference = secrets.token_hex(4)
    log.error("reference %s: %s %s failed", reference, request.method, request.path)
    return HttpResponse(loader.render_to_string("500.html", {"reference": reference}), status=500)


def page(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    return render(request, "membership/error.html", {"status": status, "heading": title, "text": text}, status=status)
