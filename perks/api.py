"""The perk API. Routes parse, make one call, and answer in bytes; refusals are problem documents (membership.api)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from django.http import HttpRequest, HttpResponse
from django.utils import translation
from ninja import Query, Router

from membership import cards, clock
from membership.problems import Problem
from perks import as_of, checks, confirmations, lookup, members, sales
from perks.answers import SAFE, caller, declared, in_json
from perks.auth import ApiKeyAuth, require
from perks.languages import preferred
from perks.schemas import (
    CardIn,
    CardOut,
    CheckIn,
    CheckOut,
    MemberDetail,
    PerkOut,
    RefIn,
    RefOut,
    ReplayOut,
    SaleOut,
)
from perks.schemas_confirmations import AddressIn, CodeIn, ConfirmationAsked, ConfirmationOut

if TYPE_CHECKING:
    from datetime import datetime

router = Router()

CHECK, READ, VERIFY = ApiKeyAuth("perks:check"), ApiKeyAuth("members:read"), ApiKeyAuth("cards:verify")
BY_EMAIL = ApiKeyAuth("members:email")
CHECK_AS_OF, READ_AS_OF = ApiKeyAuth("perks:check", as_of=True), ApiKeyAuth("members:read", as_of=True)


@router.post(
    "/perk-checks",
    auth=CHECK_AS_OF,
    response=declared(CheckOut, 400, 413, 422),
    openapi_extra=as_of.DECLARED | SAFE,
    operation_id="check_perks",
    tags=["Perk checks"],
)
def check_perks(request: HttpRequest, asked: CheckIn) -> HttpResponse:
    """What may this member get on this basket, now? A no is an answer too: 200 with `allowed: false` and a reason."""
    if asked.member is not None and asked.member.email is not None:
        require(caller(request), "members:email")
    language = preferred(request.META.get("HTTP_ACCEPT_LANGUAGE", ""))
    with translation.override(language):
        body = checks.answer(
            asked=asked, raw=request.body, shop=caller(request).shop, at=clock.now(), as_of=as_of.asked(request)
        )
    return in_json(body, language)


@router.get(
    "/perk-checks/{check_id}",
    auth=CHECK,
    response=declared(ReplayOut, 404),
    operation_id="replay_check",
    tags=["Perk checks"],
)
def replay_check(request: HttpRequest, check_id: str) -> HttpResponse:
    """A check as it was asked and answered, and what the rules say today. Kept 13 months."""
    language = preferred(request.META.get("HTTP_ACCEPT_LANGUAGE", ""))
    with translation.override(language):
        body = checks.replay(ident=check_id, shop=caller(request).shop, at=clock.now(), parse=CheckIn)
    return in_json(body, language)


@router.get(
    "/members/{number}",
    auth=READ_AS_OF,
    response=declared(MemberDetail, 404, 422),
    openapi_extra=as_of.DECLARED,
    operation_id="get_member",
    tags=["Members"],
)
def get_member(request: HttpRequest, number: str) -> HttpResponse:
    """Standing, tier, perks with what is left of them, and when the next thing changes."""
    language = preferred(request.META.get("HTTP_ACCEPT_LANGUAGE", ""))
    with translation.override(language):
        moment = as_of.asked(request)
        at = moment or clock.now()
        return in_json(members.detail(_known(number, at=at, as_of=moment), at=at), language)


@router.put(
    "/members/{number}/refs",
    auth=READ,
    response=declared(RefOut, 400, 404, 409, 413, 422),
    operation_id="tie_customer",
    tags=["Members"],
)
def tie_customer(request: HttpRequest, number: str, ref: RefIn) -> HttpResponse:
    """Tie your own customer id to a member, so that later checks may use it. Repeating it changes nothing."""
    found = _known(number, at=clock.now())
    if not lookup.tie(shop=caller(request).shop, customer_ref=ref.customer_ref, number=found.number):
        raise Problem(409, "ref_taken", "This customer_ref is tied to another member.")
    return in_json({"number": found.number, "customer_ref": ref.customer_ref})


@router.post(
    "/email-confirmations",
    auth=BY_EMAIL,
    response=declared(ConfirmationAsked, 400, 413, 422),
    operation_id="ask_for_confirmation",
    tags=["Members"],
)
def ask_for_confirmation(request: HttpRequest, asked: AddressIn) -> HttpResponse:
    """Have a code mailed to the member with this address, for the shopper to tell you. All addresses answer alike."""
    language = preferred(request.META.get("HTTP_ACCEPT_LANGUAGE", ""))
    shop = caller(request).shop
    made = confirmations.ask(shop=shop, email=asked.email, language=language, at=clock.now())
    return in_json({"id": made.pk, "expires_at": made.expires_wall})


@router.post(
    "/email-confirmations/{confirmation_id}/confirm",
    auth=BY_EMAIL,
    response=declared(ConfirmationOut, 400, 404, 413, 422),
    operation_id="confirm_email",
    tags=["Members"],
)
def confirm_email(request: HttpRequest, confirmation_id: str, told: CodeIn) -> HttpResponse:
    """Try the code that the shopper was mailed. Five tries; then ask for another one."""
    tried = confirmations.confirm(ident=confirmation_id, shop=caller(request).shop, code=told.code)
    return in_json({"confirmed": tried.yes, "guesses_left": tried.guesses_left, "valid_until": tried.until})


@router.get("/perks", auth=CHECK, response=declared(list[PerkOut]), operation_id="list_perks", tags=["Catalogue"])
def list_perks(request: HttpRequest) -> HttpResponse:
    """The published perks, with what each tier gets, in plain words."""
    language = preferred(request.META.get("HTTP_ACCEPT_LANGUAGE", ""))
    with translation.override(language):
        return in_json(members.catalogue(), language)


@router.get(
    "/sales",
    auth=CHECK_AS_OF,
    response=declared(list[SaleOut], 404, 422),
    openapi_extra=as_of.DECLARED,
    operation_id="list_sales",
    tags=["Catalogue"],
)
def list_sales(
    request: HttpRequest, member: Annotated[str | None, Query(max_length=40, description="A member number")] = None
) -> HttpResponse:
    """Sales that are not over: when each opens for the public, per tier and (with `member`) for a member."""
    language = preferred(request.META.get("HTTP_ACCEPT_LANGUAGE", ""))
    moment = as_of.asked(request)
    at = moment or clock.now()
    found = _known(member, at=at, as_of=moment) if member is not None else None
    with translation.override(language):
        return in_json(sales.told(found, at=at), language)


@router.get(
    "/sales/{code}",
    auth=CHECK_AS_OF,
    response=declared(SaleOut, 404, 422),
    operation_id="get_sale",
    openapi_extra=as_of.DECLARED,
    tags=["Catalogue"],
)
def get_sale(
    request: HttpRequest,
    code: str,
    member: Annotated[str | None, Query(max_length=40, description="A member number")] = None,
) -> HttpResponse:
    """When this sale opens for a member, for the member's tier, and for the public; and whether it is open now."""
    language = preferred(request.META.get("HTTP_ACCEPT_LANGUAGE", ""))
    moment = as_of.asked(request)
    at = moment or clock.now()
    found = _known(member, at=at, as_of=moment) if member is not None else None
    with translation.override(language):
        told = sales.told_of(code, found, at=at)
    if told is None:
        raise Problem(404, "unknown_sale", "There is no such sale.")
    return in_json(told, language)


@router.post(
    "/cards/verify",
    auth=VERIFY,
    response=declared(CardOut, 400, 413, 422),
    openapi_extra=SAFE,
    operation_id="verify_card",
    tags=["Cards"],
)
def verify_card(request: HttpRequest, card: CardIn) -> HttpResponse:
    """Is this card good now? Unknown, forged, expired and revoked ones all get the same no."""
    check = cards.check(card.token, at=clock.now())
    if check.valid:
        return in_json(
            {
                "valid": True,
                "tier": check.tier.code if check.tier else None,
                "standing": check.standing,
                "entitled_until": check.entitled_until,
            }
        )
    told = check.reason if "members:read" in caller(request).scopes else cards.CheckReason.NOT_VALID
    return in_json({"valid": False, "reason": told})


def _known(number: str, *, at: datetime, as_of: datetime | None = None) -> lookup.Found:
    found = lookup.by_number(number, at=at)
    if found is None:
        raise Problem(404, "unknown_member", "There is no member with this number.")
    return found if as_of is None else lookup.as_of(found, as_of)
