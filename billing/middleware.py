"""Billing's thin layer around every page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing import gateway

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

    Handler = Callable[[HttpRequest], HttpResponse]


def bounded_wait(get_response: Handler) -> Handler:
    """However many calls to Stripe a page makes, and however slow they are, its reader waits for 11 s at most."""

    def middleware(request: HttpRequest) -> HttpResponse:
        with gateway.page():
            return get_response(request)

    return middleware
