"""Redemptions: held for an order, committed when it is paid, released if it is not, returned with the goods.

Together with holding.py the only writer of Redemption. Each verb takes the redemption's public id and the shop that
holds it, and returns the body of the answer.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Q

from membership.errors import DomainError
from membership.models import Membership
from perks import entitlements, history, idempotency, ledger, slots
from perks.checks import dumps
from perks.models import LIVE, Redemption

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

SWEPT_AT_ONCE = 5_000
SHAPE = re.compile(r"red_[A-Za-z0-9_-]{22}")
Status = Redemption.Status


class NoSuchRedemption(DomainError):
    code = "unknown_redemption"
    status = 404
    message = "There is no such redemption of this shop."


class HoldExpired(DomainError):
    code = "hold_expired"
    message = "The hold ran out before it was committed; its use is free again. Ask and hold again."


class Committed(DomainError):
    code = "already_committed"
    message = "The redemption is committed. Goods that come back are returned."


class NotCommitted(DomainError):
    code = "not_committed"
    message = "Only what was committed can be returned. A hold is released."


class UnknownLine(DomainError):
    code = "unknown_line"
    status = 422
    message = "The order has no such line."


class ReturnedTooMuch(DomainError):
    code = "returned_too_much"
    message = "More would have come back than was ordered."


class HoldReleased(DomainError):
    code = "hold_released"
    message = "The hold was released; it cannot be committed any more."


def commit(*, ident: str, shop: int, at: datetime) -> bytes:
    """The order was paid: the uses count, with their worth. Safe to repeat. Raises NoSuchRedemption, HoldExpired,
    HoldReleased."""
    with transaction.atomic():
        membership, uses = _locked(ident, shop)
        now = _status(uses, at)
        if now is Status.EXPIRED:
            raise HoldExpired
        if now is Status.RELEASED:
            raise HoldReleased
        if now is Status.HELD:
            for use in uses:
                use.status, use.committed_at = Status.COMMITTED, at
            _write(membership, uses, ["status", "committed_at"], at)
            history.used(uses, at=at)
    return dumps(describe(uses, at=at))


def release(*, ident: str, shop: int, at: datetime) -> bytes:
    """The order was abandoned: the uses are free again. Safe to repeat, also once the hold has run out by itself.

    Raises NoSuchRedemption, Committed.
    """
    with transaction.atomic():
        membership, uses = _locked(ident, shop)
        now = _status(uses, at)
        if now in {Status.COMMITTED, Status.RETURNED}:
            raise Committed
        if now is Status.HELD:
            for use in uses:
                use.status, use.closed_at = Status.RELEASED, at
            _write(membership, uses, ["status", "closed_at"], at)
            history.released(uses, at=at)
    return dumps(describe(uses, at=at))


def give_back(*, ident: str, request: idempotency.Request, lines: Mapping[str, int] | None, at: datetime) -> bytes:
    """Goods came back: the whole order (`lines` None), or pieces of its lines by their id.

    Worth and cost come back in proportion, a use once all of it has. The same request gets the same answer again.
    Raises NoSuchRedemption, NotCommitted, UnknownLine, ReturnedTooMuch, idempotency.KeyReused.
    """
    with transaction.atomic():
        if (told := idempotency.claim(request, at=at)) is not None:
            return told
        membership, uses = _locked(ident, request.shop)
        if _status(uses, at) not in {Status.COMMITTED, Status.RETURNED}:
            raise NotCommitted
        returned, before = _returned(uses[0], lines), history.Before.of(uses)
        for use in uses:
            _take_back(use, returned, whole=lines is None, at=at)
        _write(membership, uses, ["status", "closed_at", "returned", "returned_worth", "returned_cost"], at)
        history.returned(uses, before, at=at)
        answer = dumps(describe(uses, at=at))
        idempotency.keep(request, answer=answer)
    return answer


def _returned(use: Redemption, lines: Mapping[str, int] | None) -> dict[str, int]:
    """What came back of the order in all, by line. Raises UnknownLine, ReturnedTooMuch."""
    if lines is None:
        return {line: quantity for line, (quantity, _weight) in use.lines.items()}
    returned = dict(use.returned)
    for line, pieces in lines.items():
        if line not in use.lines:
            raise UnknownLine(f"The order has no line “{line}”.")
        returned[line] = returned.get(line, 0) + pieces
        if returned[line] > use.lines[line][0]:
            raise ReturnedTooMuch(f"More of line “{line}” would have come back than was ordered.")
    return returned


def _take_back(use: Redemption, returned: dict[str, int], *, whole: bool, at: datetime) -> None:
    """Reckoned from all that came back so far, not from this time's part: so the parts add up, to the cent."""
    share = Fraction(1) if whole else ledger.came_back(use.lines, returned)
    use.returned = returned
    use.returned_worth = ledger.part(use.worth, share)
    use.returned_cost = ledger.part(use.cost, share)
    if share == 1 and use.status == Status.COMMITTED:
        use.status, use.closed_at = Status.RETURNED, at


def sweep(*, at: datetime) -> int:
    """Tidy: mark holds that ran out. They stopped counting at that moment, whether or not this has run.

    What somebody is at work on is left to them, or to the next time: the sweep waits for nobody.
    """
    overdue = Redemption.objects.filter(status=Status.HELD, expires_at__lte=at)
    with transaction.atomic():
        idle = list(overdue.select_for_update(skip_locked=True).values_list("pk", flat=True)[:SWEPT_AT_ONCE])
        return slots.expire_overdue(Q(pk__in=idle), at=at)


def read(*, ident: str, shop: int, at: datetime) -> bytes:
    """A redemption as it stands at `at`. Raises NoSuchRedemption."""
    return dumps(describe(_uses(ident, shop), at=at))


def _uses(ident: str, shop: int) -> list[Redemption]:
    related = Redemption.objects.select_related("grant__perk", "member")
    uses = list(related.filter(ident=ident, shop=shop).order_by("pk")) if SHAPE.fullmatch(ident) else []
    if not uses:
        raise NoSuchRedemption
    return uses


def _locked(ident: str, shop: int) -> tuple[Membership, list[Redemption]]:
    """The uses of a redemption, read under the lock of the membership they draw on, and under their own: the sweep
    asks nobody's leave, and must not find a hold that is being committed."""
    membership = Membership.objects.select_for_update().get(pk=_uses(ident, shop)[0].grant.membership_id)
    list(Redemption.objects.select_for_update().filter(ident=ident).order_by("pk").values_list("pk"))
    return membership, _uses(ident, shop)


def _write(membership: Membership, uses: list[Redemption], fields: list[str], at: datetime) -> None:
    Redemption.objects.bulk_update(uses, fields)
    if any(use.slot for use in uses):
        entitlements.recount(membership=membership, at=at)


def _status(uses: list[Redemption], at: datetime) -> Status:
    """That of them together: returned once all of them are. A hold that ran out is expired, swept or not."""
    stored = {_status_of(use, at) for use in uses}
    return Status.COMMITTED if len(stored) > 1 else stored.pop()


def _status_of(use: Redemption, at: datetime) -> Status:
    if use.status == Status.HELD and use.expires_at <= at:
        return Status.EXPIRED
    return Status(use.status)


def describe(uses: list[Redemption], *, at: datetime) -> dict[str, Any]:
    """The redemption as the API shows it (schemas_redemptions.RedemptionOut)."""
    one, status = uses[0], _status(uses, at)
    assert one.member is not None
    return {
        "id": one.ident,
        "status": status,
        "order": one.order_ref,
        "check": one.decision_ref,
        "member": one.member.number,
        "held_at": one.held_at,
        "expires_at": one.expires_at,
        "committed_at": one.committed_at,
        "closed_at": None if status in LIVE else max(use.closed_at or use.expires_at for use in uses),
        "perks": [_perk(use, at) for use in uses],
        "lines": [
            {"id": line, "quantity": quantity, "returned": one.returned.get(line, 0)}
            for line, (quantity, _weight) in one.lines.items()
        ],
    }


def _perk(use: Redemption, at: datetime) -> dict[str, Any]:
    return {
        "perk": use.grant.perk.code,
        "kind": use.grant.perk.kind,
        "status": _status_of(use, at),
        "effect": use.effect,
        "currency": use.currency,
        "worth": use.worth - use.returned_worth,
    }
