"""Another plan, by staff in a member's place: what costs no more is planned for the next renewal, and they are told;
what costs more only they can agree to, so they are sent the way to it (docs/decisions/0010).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from billing import next_charge, outlook, plan_change, plan_offers, plan_quotes
from membership import audit, messages, timeline
from membership.models import Message

if TYPE_CHECKING:
    from datetime import datetime

    from membership.models import Membership, Plan, Price


@dataclass(frozen=True, kw_only=True)
class Wish:
    """Another plan, beside the one held. `theirs`: it costs more than they agreed to, so it is theirs to take.
    `upgrade`: it can be held at once, for an amount of that moment; else from `renews_at`."""

    price: Price
    held: Plan
    pays: Price | None  # what the next renewal costs as it stands
    renews_at: datetime
    theirs: bool
    upgrade: bool


def plans(*, membership: Membership, at: datetime) -> list[Plan]:
    """The plans that could be asked for: the others, and the held one where another is planned. Raises NoChangeNow."""
    found = [one.plan for one in plan_offers.options(membership=membership, at=at)]
    held = plan_offers.held_plan(membership, at)
    return [*found, held] if membership.plan_id != held.pk else found


def wish(*, membership: Membership, plan: Plan, at: datetime) -> Wish:
    """What such a change would be. Raises NoChangeNow."""
    held, renews_at = plan_offers.held_plan(membership, at), outlook.charge_at(membership)
    agreed = next_charge.price_of_held_plan(membership, at=at)
    if plan.pk == held.pk:
        price, upgrade = agreed, False
    else:
        option = plan_offers.option(membership=membership, plan_code=plan.code, at=at)
        price, upgrade = option.price, option.upgrade
    if price is None or renews_at is None or (not upgrade and not membership.renewal_expected):
        raise plan_offers.NoChangeNow
    theirs = upgrade or agreed is None or price.amount > agreed.amount
    pays = next_charge.price(membership)
    return Wish(price=price, held=held, pays=pays, renews_at=renews_at, theirs=theirs, upgrade=upgrade)


def quote(wished: Wish, *, membership: Membership, at: datetime) -> tuple[int, int]:
    """What an upgrade would cost at this moment, and what the renewal would; nothing is kept of it. Minor units.

    Raises NoChangeNow, StripeUnavailable, StripeRefused.
    """
    subscription = plan_offers.changeable(membership, at)
    told = plan_quotes.ask(subscription, wished.price, at.replace(microsecond=0))
    return told.due, told.renewal


def at_renewal(wished: Wish, *, membership: Membership, ref: str, at: datetime, actor: str) -> None:
    """The next renewal buys this plan; nothing is charged now, and the member is told, once per `ref`.

    Raises NoChangeNow, ChangeUnderWay, StripeUnavailable, StripeRefused.
    """
    assert not wished.theirs
    plan_change.at_renewal(membership=membership, price=wished.price, at=at, actor=actor)
    _write("plan_at_renewal", wished, membership, ref, at)


def send_link(wished: Wish, *, membership: Membership, ref: str, at: datetime, actor: str) -> None:
    """The member is written how they take this plan themselves, once per `ref`. Nothing else changes."""
    with transaction.atomic():
        if Message.objects.filter(key=_key("plan_offered", membership, ref)).exists():
            return
        _write("plan_offered", wished, membership, ref, at)
        said = {"plan": wished.price.plan.code}
        timeline.write(member=membership.member, kind="plan.offered", at=at, actor=actor, data=said)
        audit.write(actor=actor, verb="offer_plan", subject=f"membership:{membership.pk}", at=at, data=said)


def _key(kind: str, membership: Membership, ref: str) -> str:
    return f"{kind}:{membership.pk}:{ref}"


def _write(kind: str, wished: Wish, membership: Membership, ref: str, at: datetime) -> None:
    messages.write(
        key=_key(kind, membership, ref),
        kind=kind,
        member=membership.member,
        at=at,
        context={"wished": wished, "price": wished.price, "tier": wished.price.plan.tier, "held": wished.held.tier},
    )
