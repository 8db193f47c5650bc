"""The API's short way through Django: no session, no CSRF, no language of a browser, and problem documents for all.

A middleware that stands right after the security headers. For the API it runs URL resolver and view itself, and leaves
the rest of the chain out (0.1 ms a request, a third of a perk check); everything else passes through.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.core.handlers.base import BaseHandler
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase

from membership import problems

if TYPE_CHECKING:
    from collections.abc import Callable

PREFIX = "/api/"
PAGES = ("/api/v1/docs",)  # for people: the whole chain

log = logging.getLogger("vip.api")


class ApiLane(BaseHandler):
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        super().__init__()
        self.get_response = get_response  # type: ignore[assignment]
        # What BaseHandler.load_middleware() would fill: this lane has none of each kind.
        self._view_middleware: list[object] = []
        self._template_response_middleware: list[object] = []
        self._exception_middleware: list[object] = []

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        path = request.path_info
        if not path.startswith(PREFIX) or path in PAGES:
            return self.get_response(request)
        response = self._answer(request)
        response.headers["Cache-Control"] = "no-store"
        if isinstance(response, HttpResponse):
            response.headers["Content-Length"] = str(len(response.content))
        return response

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        try:
            response: HttpResponseBase = self._get_response(request)  # type: ignore[attr-defined]
        except Http404:
            return problems.respond(404, "not_found", "There is nothing at this address.")
        except (BadRequest, SuspiciousOperation):
            return problems.respond(400, "bad_request", "This request cannot be understood.")
        except Exception:
            log.exception("%s %s failed", request.method, request.path)
            return problems.respond(500, "internal_error", "Something went wrong on our side. Please try again.")
        if response.status_code == 405:
            allowed = {"Allow": response.headers["Allow"]}
            return problems.respond(
                405, "method_not_allowed", f"{request.method} is not possible here.", headers=allowed
            )
        return response
