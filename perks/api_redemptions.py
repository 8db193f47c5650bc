"""The redemption calls. Like api.py, routes parse, make one call, and answer in bytes."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Header, Router

from membership import clock
from perks import holding, idempotency, redemptions
from perks.answers import IDEMPOTENT, caller, declared, in_json
from perks.auth import ApiKeyAuth
from perks.schemas_redemptions import HoldIn, RedemptionOut, ReturnIn

router = Router(tags=["Redemptions"])

REDEEM = ApiKeyAuth("perks:redeem")

IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=120,
        pattern=r"^[\x21-\x7e]+$",
        description="Yours, new for each request, the same when you repeat it: you get the same answer for 30 days",
    ),
]


@router.post(
    "/redemptions",
    auth=REDEEM,
    response=declared(RedemptionOut, 400, 404, 409, 413, 422),
    operation_id="hold_perks",
)
def hold_perks(request: HttpRequest, asked: HoldIn, idempotency_key: IdempotencyKey) -> HttpResponse:
    """Hold the perks of a check for an order, until it is paid or abandoned. All of them are held, or none.

    What the check promised stands until its `valid_until`; the rules are not asked again. Refused with 409 is what
    changed since: a use that somebody else took (`used_up`), a membership that was stopped or ended (its reason, as
    in a check), a blocked card.
    """
    wanted = holding.Asked(
        shop=caller(request).shop,
        key=idempotency_key,
        digest=idempotency.digest(request.path, request.body),
        check=asked.check,
        order=asked.order,
        perks=asked.perks,
        held_for=timedelta(seconds=asked.hold_seconds),
    )
    return in_json(holding.hold(asked=wanted, at=clock.now()))


@router.get(
    "/redemptions/{redemption_id}",
    auth=REDEEM,
    response=declared(RedemptionOut, 404),
    operation_id="get_redemption",
)
def get_redemption(request: HttpRequest, redemption_id: str) -> HttpResponse:
    """A redemption as it stands now: a hold that ran out is `expired`."""
    return in_json(redemptions.read(ident=redemption_id, shop=caller(request).shop, at=clock.now()))


@router.post(
    "/redemptions/{redemption_id}/commit",
    auth=REDEEM,
    response=declared(RedemptionOut, 404, 409),
    openapi_extra=IDEMPOTENT,
    operation_id="commit_redemption",
)
def commit_redemption(request: HttpRequest, redemption_id: str) -> HttpResponse:
    """The order was paid: its uses count, with their worth. Repeating it changes nothing.

    Whether the member may use the perks was judged at the hold (`held_at`). A membership that lapsed, was refunded or
    stopped since, or a card that was blocked, does not take back what the shopper was promised and has now paid for.
    """
    return in_json(redemptions.commit(ident=redemption_id, shop=caller(request).shop, at=clock.now()))


@router.post(
    "/redemptions/{redemption_id}/release",
    auth=REDEEM,
    response=declared(RedemptionOut, 404, 409),
    openapi_extra=IDEMPOTENT,
    operation_id="release_redemption",
)
def release_redemption(request: HttpRequest, redemption_id: str) -> HttpResponse:
    """The order was abandoned: its uses are free again. Repeating it changes nothing, nor does it after expiry."""
    return in_json(redemptions.release(ident=redemption_id, shop=caller(request).shop, at=clock.now()))


@router.post(
    "/redemptions/{redemption_id}/return",
    auth=REDEEM,
    response=declared(RedemptionOut, 400, 404, 409, 413, 422),
    operation_id="return_redemption",
)
def return_redemption(
    request: HttpRequest, redemption_id: str, back: ReturnIn, idempotency_key: IdempotencyKey
) -> HttpResponse:
    """Goods came back: the whole order, or some pieces of its lines. Worth comes back in proportion.

    A perk that took something off lines follows what it took off them; any other follows the value of the goods. The
    parts add up to the whole exactly. A use of a limited perk is free again once all of it came back.
    """
    asked = idempotency.Request(caller(request).shop, idempotency_key, idempotency.digest(request.path, request.body))
    lines = None if back.lines is None else {line.id: line.quantity for line in back.lines}
    return in_json(redemptions.give_back(ident=redemption_id, request=asked, lines=lines, at=clock.now()))
