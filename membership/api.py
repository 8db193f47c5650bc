"""The API object that the root URLs mount. The routes come from the upper apps, by name."""

from __future__ import annotations

import logging
from typing import Any

import orjson
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.parser import Parser

from membership import problems
from membership.errors import DomainError
from membership.problems import Problem

log = logging.getLogger("vip.api")


class FastParser(Parser):
    """orjson: faster, and strict (no NaN, no broken UTF-8)."""

    def parse_body(self, request: HttpRequest) -> Any:
        return orjson.loads(request.body)


class Api(NinjaAPI):
    def get_openapi_schema(self, **kwargs: Any) -> OpenAPISchema:
        """The schema, with every refusal declared as the problem document it is."""
        schema = super().get_openapi_schema(**kwargs)
        for path in schema["paths"].values():
            for operation in path.values():
                for status, answer in operation["responses"].items():
                    if int(status) >= 400 and "application/json" in answer.get("content", {}):
                        answer["content"] = {problems.CONTENT_TYPE: answer["content"].pop("application/json")}
        return schema


api = Api(
    title="Perk API",
    version="1",
    description=(
        "What may this member get on this basket, now? Amounts are integers in minor units of an ISO 4217 currency; "
        "moments are UTC; ends are exclusive. A “no” is an answer (200). Refused requests get a problem document "
        "(RFC 9457) whose `code` never changes."
    ),
    docs_url=None,  # ninja's page loads from a CDN; ours stands at /api/v1/docs
    parser=FastParser(),
)


@api.exception_handler(Problem)
def _problem(request: HttpRequest, error: Problem) -> HttpResponse:
    return problems.respond(error.status, error.code, error.detail, headers=error.headers)


@api.exception_handler(DomainError)
def _domain_error(request: HttpRequest, error: DomainError) -> HttpResponse:
    return problems.respond(error.status, error.code, str(error))


@api.exception_handler(AuthenticationError)
def _unauthorized(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    detail = "Send your key as “Authorization: Bearer vip_…”."
    return problems.respond(401, "invalid_key", detail, headers={"WWW-Authenticate": "Bearer"})


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    errors = [{"field": _field(e["loc"]), "message": e["msg"].removeprefix("Value error, ")} for e in error.errors]
    first = f"{errors[0]['field']}: {errors[0]['message']}" if errors[0]["field"] else errors[0]["message"]
    return problems.respond(422, "invalid_request", first, errors=errors)


def _field(loc: tuple[str | int, ...]) -> str:
    """basket.lines.0.quantity; ninja puts the kind of parameter, and for a body its name, in front."""
    return ".".join(str(part) for part in loc[2 if loc[0] == "body" else 1 :])


@api.exception_handler(HttpError)
def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    code = "invalid_json" if error.status_code == 400 else "refused"
    detail = "The body is not JSON." if error.status_code == 400 else str(error)
    return problems.respond(error.status_code, code, detail)


@api.exception_handler(RequestDataTooBig)
def _too_big(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    return problems.respond(413, "body_too_big", "The body is bigger than 512 kB.")


@api.exception_handler(Http404)
def _not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    return problems.respond(404, "not_found", "There is nothing at this address.")


@api.exception_handler(Exception)
def _unexpected(request: HttpRequest, error: Exception) -> HttpResponse:
    told = "".join(c for c in request.headers.get("X-Request-Id", "")[:64] if c.isalnum() or c in "-_")
    log.exception("%s %s failed (X-Request-Id: %s)", request.method, request.path, told or "none", exc_info=error)
    return problems.respond(500, "internal_error", "Something went wrong on our side. Please try again.")


api.add_router("", "perks.api.router")
api.add_router("", "perks.api_redemptions.router")
