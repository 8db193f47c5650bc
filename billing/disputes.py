"""Disputes: a payment contested at the bank. Opened: perks are held at once. Won: that stop is lifted, and no other.
Lost: the membership ends, if the payment bought time that is not over. An inquiry only asks, and stops nothing.

Called by ledger.py inside sync's transaction, which has locked the membership. Told any number of times, in any
order: a dispute that was closed is never opened again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from billing import endings, gateway, refund_outcomes, refund_quotes
from billing.models import Dispute, Payment
from membership import audit, lifecycle, messages, standing, timeline
from membership.models import Membership, Stop

if TYPE_CHECKING:
    from datetime import datetime

WON, LOST = "won", "lost"
# Stripe's words for a dispute that is over; "prevented": settled with a refund before it became one.
CLOSED = frozenset({WON, LOST, "warning_closed", "prevented"})
CONTESTED = frozenset({"needs_response", "under_review"})
ACTOR = "stripe"


def told(payment: Payment, read: dict[str, Any], *, at: datetime) -> None:
    """Fold one of Stripe's disputes of `payment`."""
    due = (read.get("evidence_details") or {}).get("due_by")
    row, new = Dispute.objects.get_or_create(
        stripe_id=read["id"],
        defaults={
            "membership": payment.membership,
            "payment": payment,
            "amount": gateway.from_stripe(read["amount"], payment.currency),
            "currency": payment.currency,
            "status": read["status"],
            "reason": read.get("reason") or "",
            "evidence_due_at": gateway.moment_or_none(due),
            "opened_at": at,
        },
    )
    was = "" if new else row.status
    if was == read["status"] or was in CLOSED:
        return
    row.status = read["status"]
    row.closed_at = at if row.status in CLOSED else None
    row.save(update_fields=["status", "closed_at"])
    refund_outcomes.balance(payment)
    _record(row, at)
    _take_effect(row, at)


def _record(row: Dispute, at: datetime) -> None:
    data = {"dispute": row.pk, "amount": row.amount, "currency": row.currency, "status": row.status}
    ref = f"{row.stripe_id}:{row.status}"
    kind = f"dispute.{row.status}"
    timeline.write(member=row.membership.member, kind=kind, at=at, actor=ACTOR, data=data, source_ref=ref)
    audit.write(actor=ACTOR, verb="dispute", subject=f"membership:{row.membership_id}", at=at, data=data)


def _take_effect(row: Dispute, at: datetime) -> None:
    membership = Membership.objects.lock(row.membership_id)
    if membership.status not in lifecycle.LIVING:
        return
    if row.status in CONTESTED:
        if standing.has_run_out(membership, at):
            return  # over, whether or not the sweep has said so yet: there is nothing to hold
        lifecycle.suspend(
            membership=membership, source=Stop.Source.DISPUTE, source_ref=row.stripe_id, at=at, actor=ACTOR
        )
        _tell(row, at)
        return
    if row.status == LOST and refund_quotes.buys_time_after(row.payment, at):
        endings.note(membership)
        lifecycle.end(membership=membership, reason=Membership.EndReason.DISPUTE_LOST, at=at, actor=ACTOR)
        return
    # Won, or lost over time that is over anyway, or come to nothing: only this dispute's own stop is lifted.
    lifecycle.lift(membership=membership, source=Stop.Source.DISPUTE, source_ref=row.stripe_id, at=at, actor=ACTOR)


def _tell(row: Dispute, at: datetime) -> None:
    """Why the card has stopped working, and how the member, if it was a mistake, gets out of it."""
    messages.write(
        key=f"dispute_opened:{row.stripe_id}",
        kind="dispute_opened",
        member=row.membership.member,
        at=at,
        context={"dispute": row, "payment": row.payment},
    )
