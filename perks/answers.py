"""How the API's routes answer: bodies in bytes, every status declared, who is asking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse

from perks.checks import dumps
from perks.schemas import ProblemOut

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perks.auth import Caller


# For openapi_extra of a POST: that it changes nothing (as a GET), or that repeating it changes nothing (as a PUT).
# The shops' client is made by it (perks/client): it repeats these when an answer is lost, no other POST without a key.
SAFE = {"x-safe": True}
IDEMPOTENT = {"x-idempotent": True}


def declared(ok: Any, *refusals: int) -> dict[int, Any]:
    """Every status a route can give; what any of them can is not repeated."""
    return {200: ok, **dict.fromkeys(sorted({401, 403, 429, 500, *refusals}), ProblemOut)}


def in_json(body: bytes | Mapping[str, Any] | list[Any], language: str = "") -> HttpResponse:
    response = HttpResponse(body if isinstance(body, bytes) else dumps(body), content_type="application/json")
    if language:
        response.headers["Content-Language"] = language
        response.headers["Vary"] = "Accept-Language"
    return response


def caller(request: HttpRequest) -> Caller:
    return request.auth  # type: ignore[attr-defined, no-any-return]
