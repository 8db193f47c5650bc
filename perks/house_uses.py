"""Uses that the house itself books, without a shop: a request to the concierge, a service, a seat.

The engine that answers shops judges them, and they take their slots as a shop's holds do, under the same lock and the
same constraints. They belong to no shop, so no key can read or change them. Called within the caller's transaction.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from membership import standing
from membership.errors import DomainError
from membership.models import Membership
from perks import engine, entitlements, events, holding, ledger, lookup, slots
from perks.basket import Basket, Line
from perks.models import Grant, Perk, Redemption

if TYPE_CHECKING:
    from membership.models import Member
    from perks.engine import Decision

Status = Redemption.Status
UNTIL_IT_IS_CLOSED = datetime(9999, 1, 1, tzinfo=UTC)  # no clock ends such a hold: somebody does


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A use of a perk of this kind: of the one called `perk`, or of whichever says yes. `event`: a seat at it, `waited`
    by who stands first on its waiting list."""

    kind: str
    perk: str = ""
    event: str = ""
    waited: bool = False


class NotAllowed(DomainError):
    """The perk says no; `reason` is that of a perk check, and str() its sentence."""

    code = "perk_refused"

    def __init__(self, decision: Decision | None) -> None:
        super().__init__(decision.message if decision else "")
        self.reason = decision.reason if decision else "unknown_perk"


def decide(*, member: Member, wanted: Wanted, at: datetime) -> Decision | None:
    """What a check of the member's perks says now: the first yes, else the no of one that is held, else any.
    None: the catalogue has no such perk."""
    membership = standing.current_membership(member, at)
    found = lookup.by_member(member.pk, at=at)
    facts = found.facts if found else None
    offered = dict(Perk.objects.filter(published=True, kind=wanted.kind).values_list("code", "kind"))
    held = {h.perk: h.kind for h in facts.held(at).values() if h.kind == wanted.kind} if facts else {}
    asked = [code for code in {**held, **offered} if wanted.perk in ("", code)]
    world = engine.World(offered, {}, events=events.bookable(at=at, waited=wanted.waited))
    basket = _basket(wanted.event, membership) if wanted.event else None
    answer = engine.decide(facts=facts, basket=basket, asked=asked, world=world, at=at)
    return min(answer.decisions, key=lambda d: (not d.allowed, d.perk not in held), default=None)


def _basket(event: str, membership: Membership | None) -> Basket:
    line = Line(id="1", sku=event, quantity=1, unit_amount=0)
    return Basket(currency=membership.currency if membership else "EUR", lines=[line])


def hold(*, member: Member, wanted: Wanted, at: datetime, once: str = "") -> Redemption | None:
    """Take a use until it is committed or freed. None: it was taken before under the same `once`.

    Raises NotAllowed, holding.NoLongerHonored, holding.UsedUp, events.Full.
    """
    speaking = standing.current_membership(member, at)
    if speaking is None:
        raise NotAllowed(decide(member=member, wanted=wanted, at=at))
    membership = Membership.objects.lock(speaking.pk)
    if once and taken_before(member, once) is not None:
        return None
    decision = decide(member=member, wanted=wanted, at=at)
    if decision is None or not decision.allowed or decision.grant is None or decision.effect is None:
        raise NotAllowed(decision)
    grant = Grant.objects.select_related("perk").get(pk=decision.grant)
    found = lookup.by_member(member.pk, at=at)
    if grant.membership_id != membership.pk or found is None or found.facts is None:
        raise holding.NoLongerHonored("not_in_tier")  # another membership has come to speak for them meanwhile
    use = _use(member, grant, membership, decision.effect.as_json(), at)
    use.idempotency_key = _key(once) if once else use.ident
    holding.take(use, slots.purse(grant, found.facts, member=member.pk, at=at), waited=wanted.waited)
    _recount(membership, use, at)
    return use


def taken_before(member: Member, once: str) -> Redemption | None:
    """The use that was taken under this `once`."""
    return Redemption.objects.filter(member=member, shop=None, idempotency_key=_key(once)).first()


def _key(once: str) -> str:
    return f"house:{once}"


def _use(member: Member, grant: Grant, membership: Membership, effect: dict[str, Any], at: datetime) -> Redemption:
    value = ledger.value(slots.settings_of(grant), effect, currency=None, own=membership.currency)
    return Redemption(
        ident=f"red_{secrets.token_urlsafe(16)}",
        member=member,
        grant=grant,
        shop=None,
        effect=effect,
        event=effect.get("event", ""),
        held_at=at,
        expires_at=UNTIL_IT_IS_CLOSED,
        **value._asdict(),
    )


def commit(*, use: Redemption, at: datetime, worth: int | None = None, cost: int | None = None) -> None:
    """It was given: it counts from now on, with what it turned out to be worth and to cost (None: as the perk says).
    Asked again, only the value is told anew."""
    membership, now = _locked(use)
    if worth is not None:
        now.worth = worth
    if cost is not None:
        now.cost = cost
    if now.status == Status.HELD:
        now.status, now.committed_at = Status.COMMITTED, at
    now.save(update_fields=["status", "committed_at", "worth", "cost"])
    _recount(membership, now, at)


def free(*, use: Redemption, at: datetime) -> bool:
    """It counts no more: what was only held is released, what was given is taken back whole. False: it was free."""
    membership, now = _locked(use)
    if now.status == Status.HELD:
        now.status = Status.RELEASED
    elif now.status == Status.COMMITTED:
        now.status, now.returned_worth, now.returned_cost = Status.RETURNED, now.worth, now.cost
    else:
        return False
    now.closed_at = at
    now.save(update_fields=["status", "closed_at", "returned_worth", "returned_cost"])
    _recount(membership, now, at)
    return True


def _locked(use: Redemption) -> tuple[Membership, Redemption]:
    """As every verb of a redemption: the membership's lock first, then the row as it is under it."""
    membership = Membership.objects.select_for_update().get(grants=use.grant_id)
    return membership, Redemption.objects.select_for_update().get(pk=use.pk)


def _recount(membership: Membership, use: Redemption, at: datetime) -> None:
    if use.slot:
        entitlements.recount(membership=membership, at=at)
