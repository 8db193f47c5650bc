"""The HTTP door to the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponse
from django.views.decorators.csrf import csrf_exempt

from billing.emulator import api
from billing.emulator.faults import ConnectionBroken
from billing.emulator.wire import Request

if TYPE_CHECKING:
    from django.http import HttpRequest


@csrf_exempt
def v1(request: HttpRequest, rest: str) -> HttpResponse:
    """Anything under /v1/, as curl, billing-e2e or another process would call it."""
    url = request.get_full_path()
    call = Request.of(str(request.method), url, request.headers, request.body.decode("utf-8", "replace"))
    try:
        answer = api.handle(call)
    except ConnectionBroken:
        return HttpResponse(status=502)
    return HttpResponse(answer.body, status=answer.status, headers=answer.headers)
