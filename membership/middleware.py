"""Thin layers: pages are private unless a view says otherwise, speak the reader's language and zone, and explain
refusals."""

from __future__ import annotations

import zoneinfo
from datetime import timedelta
from typing import TYPE_CHECKING

from allauth.account.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.http import HttpResponseNotAllowed
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from membership.errors import DomainError
from membership.views import errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

    Handler = Callable[[HttpRequest], HttpResponse]

SEEN = timedelta(minutes=1)  # as exactly as a session's owner is told when it was last seen
PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), publickey-credentials-get=(self)"


def private_pages(get_response: Handler) -> Handler:
    """`no-store` on everything a view did not mark itself; no shared cache ever keeps somebody's page."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        return response

    return middleware


def language_and_zone(get_response: Handler) -> Handler:
    """The member's language and zone; for others the chosen cookie, then what the browser asks for."""

    def middleware(request: HttpRequest) -> HttpResponse:
        user = request.user
        language = getattr(user, "language", "") or translation.get_language_from_request(request)
        zone = getattr(user, "time_zone", "") or settings.VIP_HOME_ZONE
        with translation.override(language), timezone.override(zoneinfo.ZoneInfo(zone)):
            request.LANGUAGE_CODE = translation.get_language() or "en"
            response = get_response(request)
            response.headers.setdefault("Content-Language", request.LANGUAGE_CODE)
            return response

    return middleware


def sessions_seen(get_response: Handler) -> Handler:
    """When and from where each session was last seen, for the list that its owner reads. allauth's own middleware
    writes that at every page: a lock and a commit for whoever only looks."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated and request.session.session_key and not _just_seen(request):
            UserSession.objects.create_from_request(request)
        return get_response(request)

    return middleware


def _just_seen(request: HttpRequest) -> bool:
    """Within SEEN, and from the same address."""
    seen_here = {"session_key": request.session.session_key, "ip": get_adapter().get_client_ip(request)}
    return bool(UserSession.objects.filter(**seen_here, last_seen_at__gt=timezone.now() - SEEN).exists())


def refusals(get_response: Handler) -> Handler:
    """A DomainError that a page let through becomes a page that says so, under the error's own status; and so does
    an address that takes forms only, for who types it in."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        person = request.method == "GET" and "text/html" in request.headers.get("Accept", "")
        if person and isinstance(response, HttpResponseNotAllowed):
            return errors.only_sent(request, response)
        return response

    def process_exception(request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, DomainError):
            return errors.page(request, exception.status, _("That was not possible"), str(exception))
        return None

    middleware.process_exception = process_exception  # type: ignore[attr-defined]
    return middleware
