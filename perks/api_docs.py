"""The API's page for people, made from the OpenAPI document: no script, nothing from a CDN, so the CSP stands."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from membership.api import api
from perks import sentences

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest, HttpResponse

SCOPES = {
    "check_perks": "perks:check",
    "replay_check": "perks:check",
    "list_perks": "perks:check",
    "list_sales": "perks:check",
    "get_sale": "perks:check",
    "get_member": "members:read",
    "tie_customer": "members:read",
    "verify_card": "cards:verify",
    "ask_for_confirmation": "members:email",
    "confirm_email": "members:email",
    "hold_perks": "perks:redeem",
    "get_redemption": "perks:redeem",
    "commit_redemption": "perks:redeem",
    "release_redemption": "perks:redeem",
    "return_redemption": "perks:redeem",
}
PROBLEMS = {
    "invalid_key": _("401. No key was sent, or it is unknown, revoked, or of the other mode (test or live)."),
    "missing_scope": _("403. The key is good but lacks the scope that the call needs."),
    "invalid_json": _("400. The body is not JSON."),
    "invalid_request": _("422. The body does not fit; “errors” name the fields."),
    "unknown_plan": _("422. if_joined names no plan that is on sale."),
    "unknown_member": _("404. No member has this number. A perk check answers 200 with the reason unknown_member."),
    "unknown_sale": _("404. There is no sale with this code."),
    "unknown_check": _("404. No perk check of your shop has this id, or it is older than 13 months."),
    "bad_member_clock": _("422. X-Member-Clock is no moment with a zone, such as 2026-12-24T18:00:00Z."),
    "member_clock_refused": _("403. X-Member-Clock came with a live key, or on a call that changes something."),
    "ref_taken": _("409. This customer_ref is tied to another member."),
    "unknown_redemption": _("404. No redemption of your shop has this id."),
    "idempotency_mismatch": _("422. This Idempotency-Key was sent before with another request."),
    "not_in_check": _("422. The check did not decide about a perk that you want to hold."),
    "not_granted": _("409. The check said no to a perk that you want to hold."),
    "not_redeemable": _("409. The check asked what would be, or named no member: nothing can be held on it."),
    "check_expired": _("409. The check is past its valid_until. Ask again."),
    "check_used": _("409. The perk is held or committed on this check already: each order needs a check of its own."),
    "used_up": _("409. Somebody took the last use since the check. Ask again."),
    "full": _("409. Somebody took the last place since the check. Ask again."),
    "membership_suspended": _(
        "409. Likewise membership_ended, …: the membership was stopped or ended since the check."
    ),
    "card_blocked": _("409. The card that the check was asked with has been blocked since."),
    "hold_expired": _("409. The hold ran out before it was committed; its use is free again."),
    "hold_released": _("409. The hold was released, so it cannot be committed."),
    "already_committed": _("409. It is committed, so it cannot be released. Goods that come back are returned."),
    "not_committed": _("409. Only what was committed can be returned. A hold is released."),
    "unknown_line": _("422. The order has no such line."),
    "returned_too_much": _("409. More of a line would have come back than was ordered."),
    "not_found": _("404. There is nothing at this address."),
    "method_not_allowed": _("405. The address exists, the method does not."),
    "body_too_big": _("413. The body is bigger than 512 kB."),
    "unknown_confirmation": _("404. No confirmation of your shop has this id, or it is over. Ask for another one."),
    "too_many": _("429. Too many codes were asked for this address, or by your shop. Wait an hour."),
    "too_many_wrong_keys": _("429. Too many wrong keys from one address. Wait a minute."),
    "internal_error": _("500. A mistake of ours. Try again; nothing was changed."),
}


@dataclass(frozen=True)
class Field:
    name: str
    kind: str
    required: bool
    description: str


@dataclass(frozen=True)
class Call:
    id: str
    method: str
    path: str
    description: str
    scope: str
    parameters: list[dict[str, Any]]
    request: list[Field]
    example: str
    answer: list[Field]
    refusals: list[str] = field(default_factory=list)


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    info = api.title, api.description
    return render(
        request,
        "perks/api_docs.html",
        {
            "title": info[0],
            "description": info[1].replace("`", ""),
            "schema_url": reverse("api-1:openapi-json"),
            "calls": _calls(),
            "problems": PROBLEMS.items(),
            "reasons": [(sentences.GRANTED, _("Yes.")), *_reasons()],
        },
    )


def _reasons() -> Iterator[tuple[str, str]]:
    for reason, sentence in sentences.REFUSALS.items():
        yield (
            reason,
            str(sentence) % {"minimum": "€ 50", "country": "…", "method": "…", "opens_at": "…", "currency": "…"},
        )


@cache
def _calls() -> list[Call]:
    schema = api.get_openapi_schema()
    parts = schema["components"]["schemas"]
    return [
        _call(method, path, operation, parts)
        for path, operations in schema["paths"].items()
        for method, operation in operations.items()
    ]


def _call(method: str, path: str, operation: dict[str, Any], parts: dict[str, Any]) -> Call:
    asked = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    given = operation["responses"][200]["content"]["application/json"]["schema"]
    example = parts.get(_name(asked), {}).get("example")
    return Call(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        description=operation["description"].replace("`", ""),
        scope=SCOPES.get(operation["operationId"], ""),
        parameters=operation["parameters"],
        request=list(_fields(asked, parts)),
        example=json.dumps(example, indent=2, ensure_ascii=False) if example else "",
        answer=list(_fields(given, parts)),
        refusals=[str(status) for status in operation["responses"] if int(status) >= 400],
    )


def _name(schema: dict[str, Any]) -> str:
    return str(schema.get("$ref", "")).rsplit("/", 1)[-1]


def _fields(schema: dict[str, Any], parts: dict[str, Any], before: str = "") -> Iterator[Field]:
    """Every field of a schema and of the schemas in it: basket.lines[].sku."""
    if "items" in schema:
        schema, before = schema["items"], f"{before}[]"
    found = parts.get(_name(schema), schema)
    for name, part in found.get("properties", {}).items():
        inner = _inner(part)
        full = f"{before}.{name}" if before else name
        required = name in found.get("required", [])
        yield Field(full, _kind(part), required, part.get("description", ""))
        yield from _fields(inner, parts, full)


def _inner(part: dict[str, Any]) -> dict[str, Any]:
    """What a part holds, past “or null”."""
    options = [o for o in part.get("anyOf", []) if o.get("type") != "null"]
    found: dict[str, Any] = options[0] if options else part
    return found if "$ref" in found or "items" in found else {}


def _kind(part: dict[str, Any]) -> str:
    if "anyOf" in part:
        return " or ".join(_kind(option) for option in part["anyOf"])
    if "enum" in part:
        return ", ".join(str(value) for value in part["enum"])
    if "items" in part:
        return f"list of {_kind(part['items'])}"
    if "$ref" in part:
        return "object"
    if part.get("format") == "date-time":
        return "moment (UTC)"
    return str(part.get("type", "any"))
