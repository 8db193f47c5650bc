"""Redemptions: held for an order, committed when it is paid, released if it is not, returned with the goods.

Together with holding.py the only writer of Redemption. Each verb takes the redemption's public id and the shop that
holds it, and returns the body of the answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from membership.errors import DomainError
from membership.models import Membership
from perks import entitlements
from perks.checks import dumps
from perks.models import LIVE, Redemption

if TYPE_CHECKING:
    from datetime import datetime

Status = Redemption.Status


class NoSuchRedemption(DomainError):
    code = "unknown_redemption"
    status = 404
    message = "There is no such redemption of this shop."


class HoldExpired(DomainError):
    code = "hold_expired"
    message = "The hold ran out before it was committed; its use is free again. Ask and hold again."


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
    return dumps(describe(uses, at=at))


def read(*, ident: str, shop: int, at: datetime) -> bytes:
    """A redemption as it stands at `at`. Raises NoSuchRedemption."""
    return dumps(describe(_uses(ident, shop), at=at))


def _uses(ident: str, shop: int) -> list[Redemption]:
    related = Redemption.objects.select_related("grant__perk", "member")
    uses = list(related.filter(ident=ident, shop=shop).order_by("pk")) if ident else []
    if not uses:
        raise NoSuchRedemption
    return uses


def _locked(ident: str, shop: int) -> tuple[Membership, list[Redemption]]:
    """The uses of a redemption, read under the lock of the membership they draw on."""
    membership = Membership.objects.lock(_uses(ident, shop)[0].grant.membership_id)
    return membership, _uses(ident, shop)


def _write(membership: Membership, uses: list[Redemption], fields: list[str], at: datetime) -> None:
    Redemption.objects.bulk_update(uses, fields)
    if any(use.slot for use in uses):
        entitlements.rebuild_all(membership=membership, at=at)


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
