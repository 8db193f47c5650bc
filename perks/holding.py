"""Holding the perks of a check for an order: the first verb of a redemption (the others are in redemptions.py).

A hold keeps what a stored check promised, within its valid_until: the rules are not asked again. Asked again is only
what cannot be promised: that the membership still stands, that a card it was asked with is still good, and that a
slot is free. All that comes later (a lapse, a refund, a blocked card) does not touch a hold: it was judged when it
was made (docs/decisions/0008).
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from django.db import IntegrityError, transaction
from django.db.models import Q

from membership import standing
from membership.errors import DomainError
from membership.models import Card, Member, Membership
from perks import decisions, engine, entitlements, events, idempotency, ledger, lookup, redemptions, slots
from perks.checks import NoSuchCheck, dumps
from perks.models import LIVE, Grant, Redemption
from perks.schemas import CheckIn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perks.facts import Facts
    from perks.models import Decision

HELD_FOR = timedelta(minutes=30)
ATTEMPTS = 50  # to find a slot that nobody takes first


class NotInCheck(DomainError):
    code = "not_in_check"
    status = 422
    message = "The check did not decide about this perk."


class NotGranted(DomainError):
    code = "not_granted"
    message = "The check said no to this perk."


class OnlyWhatIf(DomainError):
    code = "not_redeemable"
    message = "The check asked what would be (if_joined, X-Member-Clock, or no member): nothing can be held on it."


class CheckExpired(DomainError):
    code = "check_expired"
    message = "The check is past its valid_until. Ask again."


class CheckUsed(DomainError):
    code = "check_used"
    message = "This perk is held or committed on this check already: an order needs a check of its own."


class UsedUp(DomainError):
    code = "used_up"
    message = "The last use of this perk was taken meanwhile. Ask again."


class NoLongerHonored(DomainError):
    """The membership was stopped, ended or left since the check; `code` is the reason a check would give now."""

    message = "The membership no longer holds this perk. Ask again."

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.code = reason  # type: ignore[misc]  # stable all the same: a reason of the perk check


class CardBlocked(DomainError):
    code = "card_blocked"
    message = "The card that the check was asked with has been blocked since."


class Asked(NamedTuple):
    """A request to hold, as the door understood it."""

    shop: int
    key: str
    digest: str
    check: str
    order: str
    perks: Sequence[str]
    held_for: timedelta = HELD_FOR


class _Promise(NamedTuple):
    """What the stored check said about one perk, and what it was asked about."""

    perk: str
    grant: int
    effect: dict[str, Any]
    question: CheckIn
    decision: Decision


def hold(*, asked: Asked, at: datetime) -> bytes:
    """Hold the perks of a check for an order; all of them or none. Returns the body of the answer.

    Raises NoSuchCheck, NotInCheck, NotGranted, OnlyWhatIf, CheckExpired, CheckUsed, UsedUp, Full, NoLongerHonored,
    CardBlocked, idempotency.KeyReused.
    """
    request = idempotency.Request(asked.shop, asked.key, asked.digest)
    if (told := idempotency.kept(request, at=at)) is not None:
        return told
    promises = _promises(asked, at)
    with transaction.atomic():
        if (told := idempotency.claim(request, at=at)) is not None:
            return told
        uses = _hold(asked, promises, at)
        answer = dumps(redemptions.describe(uses, at=at))
        idempotency.keep(request, answer=answer)
    return answer


def _promises(asked: Asked, at: datetime) -> list[_Promise]:
    """What the check promised and still stands to, by its own words."""
    kept = decisions.find(asked.check, shop=asked.shop)
    if kept is None:
        raise NoSuchCheck
    question, answer = CheckIn.model_validate_json(kept.question), orjson.loads(kept.answer)
    if kept.member_id is None or question.if_joined is not None or kept.as_of is not None:
        raise OnlyWhatIf
    if at >= datetime.fromisoformat(answer["valid_until"]):
        raise CheckExpired
    told = {decision["perk"]: decision for decision in answer["decisions"]}
    for perk in asked.perks:
        if perk not in told:
            raise NotInCheck(f"The check did not decide about “{perk}”.")
        if not told[perk]["allowed"]:
            raise NotGranted(f"The check said no to “{perk}”: {told[perk]['reason']}.")
    grants = orjson.loads(kept.grants)
    perks = dict.fromkeys(asked.perks)
    return [_Promise(perk, grants[perk], told[perk]["effect"], question, kept) for perk in perks]


def _hold(asked: Asked, promises: list[_Promise], at: datetime) -> list[Redemption]:
    """Under the lock of the membership: judge, take the slots, and let the next check know."""
    member = promises[0].decision.member
    assert member is not None
    granted = Membership.objects.filter(grants=promises[0].grant).values_list("pk", flat=True).first()
    if granted is None:
        raise NoLongerHonored("not_in_tier")
    membership = Membership.objects.select_for_update().get(pk=granted)
    facts = _judged(promises[0], member, at)
    _refuse_where_another_speaks(facts, promises[0], membership, at)
    slots.expire_overdue(Q(decision_ref=asked.check), at=at)
    ident = f"red_{secrets.token_urlsafe(16)}"
    uses = []
    for promise in promises:
        use = _use(asked, promise, membership, at)
        use.ident, use.member = ident, member
        take(use, slots.purse(use.grant, facts, member=member.pk, at=at))
        uses.append(use)
    if any(use.slot for use in uses):
        entitlements.recount(membership=membership, at=at)
    return uses


def _judged(promise: _Promise, member: Member, at: datetime) -> Facts:
    """The facts as they are under the lock. Raises NoLongerHonored, CardBlocked."""
    found = lookup.by_member(member.pk, at=at)
    if found is None or found.facts is None:
        raise NoLongerHonored("not_a_member")
    now = found.facts.standing(at)
    if now in engine.OUT_OF_STANDING:
        raise NoLongerHonored(engine.OUT_OF_STANDING[now])
    named_by = promise.question.member
    # A member has one card at a time, so whichever was revoked since is the one that was shown.
    since = Card.objects.filter(member=member, revoked_at__gt=promise.decision.decided_at)
    if named_by is not None and named_by.card is not None and since.exists():
        raise CardBlocked
    return found.facts


def _refuse_where_another_speaks(facts: Facts, promise: _Promise, membership: Membership, at: datetime) -> None:
    """Raises NoLongerHonored where the member lives by another membership since than that which granted the perk."""
    if any(held.grant == promise.grant for w in (*facts.windows, *facts.goodwill) for held in w.held):
        return
    # No longer held as it was promised, which a promise outlasts; if it is another's, it was not for this one to make.
    speaking = standing.current_membership(promise.decision.member, at) if promise.decision.member else None
    if speaking is None or speaking.pk != membership.pk:
        raise NoLongerHonored("not_in_tier")


def _use(asked: Asked, promise: _Promise, membership: Membership, at: datetime) -> Redemption:
    """The row as it will be, but for whose it is and its slot. Raises NoLongerHonored."""
    grant = Grant.objects.select_related("perk").filter(pk=promise.grant, membership=membership).first()
    if grant is None:
        raise NoLongerHonored("not_in_tier")
    basket = promise.question.basket
    currency = basket.currency if basket else None
    value = ledger.value(slots.settings_of(grant), promise.effect, currency=currency, own=membership.currency)
    return Redemption(
        grant=grant,
        shop_id=asked.shop,
        idempotency_key=asked.key,
        order_ref=asked.order,
        decision_ref=asked.check,
        effect=promise.effect,
        event=promise.effect.get("event", ""),
        lines=ledger.weights(basket, promise.effect),
        held_at=at,
        expires_at=at + asked.held_for,
        **value._asdict(),
    )


def take(use: Redemption, purse: slots.Purse | None, *, waited: bool = False) -> None:
    """Write the row, in a slot if its perk is limited; within a transaction. Raises UsedUp, Full, CheckUsed.

    Who was first is for the database to say: where it refuses a slot, somebody else has it, and the next is tried.
    """
    if purse is not None:
        slots.expire_overdue(Q(draws_on=purse.draws_on), at=use.held_at)
        use.draws_on, use.period, use.allowance = purse
    for _ in range(ATTEMPTS):
        _refuse_twice(use)
        if purse is not None and (slot := slots.free(purse)) is None:
            raise UsedUp
        use.slot = slot if purse is not None else None
        if use.event:
            events.seat(use, waited=waited)
        try:
            with transaction.atomic():
                use.save(force_insert=True)
            return
        except IntegrityError:
            use.pk = None
    raise UsedUp


def _refuse_twice(use: Redemption) -> None:
    """What else the database would refuse than a slot. Without a check (house_uses) there is nothing."""
    if not use.decision_ref:
        return
    live = Redemption.objects.filter(grant=use.grant, status__in=LIVE)
    if live.filter(decision_ref=use.decision_ref).exists():
        raise CheckUsed
