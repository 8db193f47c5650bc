"""What a change of price at Stripe does to a membership, from Stripe's facts alone. Called by sync in its transaction.

A paid line for the rest of a period at another price is one tier change, from the second it was counted from. The
price that stands on the subscription is what the next renewal buys, whoever put it there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing.models import LIVE, Operation, PlanQuote
from membership import clock, lifecycle, standing
from membership.models import Membership, TierChange

if TYPE_CHECKING:
    from collections.abc import Iterable

    from billing.models import InvoiceLine, Subscription

KIND = "change_plan"


def fold(membership: Membership, lines: Iterable[InvoiceLine], subscription: Subscription, actor: str) -> None:
    """Let every paid change of plan make its tier change, oldest first, and the renewal buy what stands at Stripe."""
    paid = [line for line in lines if line.changes_plan and line.invoice.status == "paid"]
    for line in sorted(paid, key=lambda line: (line.starts_at, line.invoice.made_at)):
        _change_tier(membership, line, actor)
    _plan_renewal(membership, subscription, actor)


def _change_tier(membership: Membership, line: InvoiceLine, actor: str) -> None:
    if TierChange.objects.filter(source_ref=line.term_ref).exists():
        return
    membership = Membership.objects.with_facts().get(pk=membership.pk)
    held = standing.plan_at(membership, line.starts_at)
    if held is None or membership.status not in lifecycle.LIVING:
        return
    to_plan = line.plan or held
    lifecycle.change_tier(
        membership=membership,
        to_plan=to_plan,
        source_ref=line.term_ref,
        changed_at=line.starts_at,
        at=clock.now(),
        actor=actor,
    )
    _quote_is_done(membership, line)


def _quote_is_done(membership: Membership, line: InvoiceLine) -> None:
    """The quote this line executed, if it was ours: also where the answer to the call was lost."""
    asked = PlanQuote.objects.filter(
        membership=membership, price__plan=line.plan, proration_at=line.starts_at, state=PlanQuote.State.CONFIRMING
    )
    for quote in asked:
        PlanQuote.objects.filter(pk=quote.pk).update(state=PlanQuote.State.DONE)
        open_calls = Operation.objects.filter(
            member=quote.membership.member_id, key__startswith=f"{operation_key(quote)}#"
        )
        open_calls.filter(state__in=[Operation.State.UNKNOWN, Operation.State.PARKED]).update(
            state=Operation.State.DONE, answered_at=clock.now(), look_at=None, stripe_id=quote.subscription.stripe_id
        )


def operation_key(quote: PlanQuote) -> str:
    """The key of the one call that executes this quote, without its number."""
    return f"{KIND}:{quote.pk}"


def _plan_renewal(membership: Membership, subscription: Subscription, actor: str) -> None:
    """The mirror decides: it keeps the newest read, so a slow older one plans nothing back."""
    subscription.refresh_from_db()
    now = Membership.objects.get(pk=membership.pk)
    price = subscription.price
    if price is None or subscription.status not in LIVE or now.status not in lifecycle.LIVING:
        return
    if price.plan_id != now.plan_id:
        lifecycle.plan_renewal(membership=membership, plan=price.plan, at=clock.now(), actor=actor)
