"""Problem documents (RFC 9457): how the API says no to a request it cannot answer. `code` is stable for programs."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson
from django.conf import settings
from django.http import HttpResponse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CONTENT_TYPE = "application/problem+json"


class Problem(Exception):
    """Raised anywhere below an API route; answered as a problem document."""

    def __init__(self, status: int, code: str, detail: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.headers = headers or {}


def respond(
    status: int,
    code: str,
    detail: str,
    *,
    errors: Sequence[Mapping[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    """The response. `errors` name the fields at fault, each with a message."""
    document: dict[str, Any] = {
        "type": f"{settings.BASE_URL}/api/v1/docs#{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
    }
    if errors is not None:
        document["errors"] = errors
    return HttpResponse(orjson.dumps(document), status=status, content_type=CONTENT_TYPE, headers=headers)
