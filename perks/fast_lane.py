"""The perk check's fast lane: answered before Django's handler, with the same key, schema, engine and log of decisions.

Django's handler, URL resolver and ninja take two thirds of a perk check's time (docs/performance.md). So the plain case
is answered here, and only that: a key that was looked up within the last second, a body that is understood, a 200.
Whatever is to be refused, or is out of the ordinary, is handed on untouched and answered by the route; no refusal is
written twice. tests/perks/test_fast_lane.py holds both to the same answers.
"""

from __future__ import annotations

import io
import logging
from typing import TYPE_CHECKING, Any

import orjson
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.http import HttpRequest, HttpResponse
from django.middleware.security import SecurityMiddleware
from django.utils import translation
from pydantic import ValidationError

from membership import clock
from membership.errors import DomainError
from perks import as_of, auth, checks, decisions
from perks.languages import preferred
from perks.schemas import CheckIn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from perks.auth import Caller

PATH = "/api/v1/perk-checks"
SCOPE = "perks:check"

log = logging.getLogger("vip.api")


class FastLane:
    """A WSGI application before `django`'s."""

    def __init__(self, django: Callable[..., Iterable[bytes]]) -> None:
        self.django = django
        self.proxy = settings.SECURE_PROXY_SSL_HEADER
        self.always = [
            ("Content-Type", "application/json"),
            ("Vary", "Accept-Language"),
            ("Cache-Control", "no-store"),
            *_security_headers(),
        ]

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
        caller = self._caller(environ)
        if caller is None:
            return self.django(environ, start_response)
        language = preferred(environ.get("HTTP_ACCEPT_LANGUAGE", ""))
        body = _answer(environ, caller, language)
        if body is None:
            return self.django(environ, start_response)
        headers = [*self.always, ("Content-Language", language), ("Content-Length", str(len(body)))]
        start_response("200 OK", headers)
        return [body]

    def _caller(self, environ: dict[str, Any]) -> Caller | None:
        """Who asks, where it is a plain perk check; None: for the route."""
        if environ["PATH_INFO"] != PATH or environ["REQUEST_METHOD"] != "POST" or as_of.HEADER in environ:
            return None
        if self.proxy and environ.get(self.proxy[0]) != self.proxy[1]:
            return None  # in production, what came without TLS is sent away
        if not (database := connections[DEFAULT_DB_ALIAS]).in_atomic_block:  # as only a test's is
            database.close_if_unusable_or_obsolete()  # as Django does when a request begins
        try:
            caller = auth.lately(environ.get("HTTP_AUTHORIZATION", ""))
        except DatabaseError:
            return None
        return caller if caller is not None and SCOPE in caller.scopes else None


def _answer(environ: dict[str, Any], caller: Caller, language: str) -> bytes | None:
    """The body of a 200; None: for the route, which finds the request as it came."""
    length = environ.get("CONTENT_LENGTH", "")
    if not length.isdecimal() or int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        return None
    raw = environ["wsgi.input"].read(int(length))
    environ["wsgi.input"] = io.BytesIO(raw)
    try:
        asked = CheckIn.model_validate(orjson.loads(raw))
        if asked.member is not None and asked.member.email is not None:
            return None  # that needs another scope
        with translation.override(language):
            body = checks.answer(asked=asked, raw=raw, shop=caller.shop, at=clock.now())
    except (ValidationError, ValueError, DomainError):
        return None
    except Exception:
        log.exception("the fast lane failed; the route is asked")
        return None
    decisions.key_was_used(caller.key)
    return body


def _security_headers() -> list[tuple[str, str]]:
    """What Django's SecurityMiddleware adds to an answer by the settings: the same for every answer, so asked once."""
    request = HttpRequest()
    if settings.SECURE_PROXY_SSL_HEADER:
        name, value = settings.SECURE_PROXY_SSL_HEADER
        request.META[name] = value
    response = HttpResponse()
    before = set(response.headers)
    SecurityMiddleware(lambda _request: response)(request)
    return [(name, value) for name, value in response.headers.items() if name not in before]
