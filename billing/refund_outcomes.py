"""What came of a refund: Stripe's answer, from our own call or from a read, written once and followed by its effect.

Every function runs inside a transaction that has locked the membership. The same refund may be told any number of
times, by the call that made it, a webhook or a sweep; its effect on the term is made once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Sum

from billing import endings, farewell, gateway, refund_letters, refund_quotes
from billing.models import STANDING, Dispute, Operation, Payment, Refund
from membership import audit, lifecycle, timeline
from membership.models import Membership

if TYPE_CHECKING:
    from datetime import datetime

STATES = {
    "pending": Refund.State.PENDING,
    "requires_action": Refund.State.PENDING,
    "succeeded": Refund.State.SUCCEEDED,
    "failed": Refund.State.FAILED,
    "canceled": Refund.State.CANCELED,
}


def told(payment: Payment, read: dict[str, Any], *, misplaced: bool, at: datetime) -> None:
    """Fold one of Stripe's refunds of `payment`: ours by its id or our name on it, else one that was made there."""
    row = Refund.objects.filter(stripe_id=read["id"]).first()
    ours = (read.get("metadata") or {}).get("refund", "")
    if row is None and ours.isdecimal():  # the answer to our call was lost
        row = Refund.objects.filter(pk=ours, payment=payment, stripe_id=None).first()
    if row is None:
        row = _made_there(payment, read, misplaced=misplaced, at=at)
    answered(row, read, at=at)


def _made_there(payment: Payment, read: dict[str, Any], *, misplaced: bool, at: datetime) -> Refund:
    """A refund we did not ask for. The one that gives the whole of a running term's payment back ends it."""
    amount = gateway.from_stripe(read["amount"], payment.currency)
    there = STATES[read["status"]] in STANDING
    whole = there and _standing_sum(payment) + amount >= payment.captured
    ends = whole and not misplaced and refund_quotes.buys_time_after(payment, at)
    return Refund.objects.create(
        membership=payment.membership,
        payment=payment,
        decision=f"stripe:{read['id']}",
        basis=Refund.Basis.MISPLACED if misplaced else Refund.Basis.STRIPE,
        effect=Refund.Effect.END_NOW if ends else Refund.Effect.MONEY_ONLY,
        amount=amount,
        currency=payment.currency,
        reason=read.get("reason") or "",
        actor="stripe",
        state=Refund.State.NOTED,
        stripe_id=read["id"],
        decided_at=at,
    )


def answered(row: Refund, read: dict[str, Any], *, at: datetime) -> None:
    """Keep Stripe's answer to `row`; then its effect, if all of its decision is answered."""
    state = STATES[read["status"]]
    news = row.state != state
    if not news and row.stripe_id == read["id"] and row.effected_at is not None:
        return
    row.state, row.stripe_id, row.said = state, read["id"], read.get("failure_reason") or ""
    row.save(update_fields=["state", "stripe_id", "said"])
    if row.operation_id is not None:
        Operation.objects.filter(pk=row.operation_id, state=Operation.State.UNKNOWN).update(
            state=Operation.State.DONE, stripe_id=read["id"], answered_at=at
        )
    balance(row.payment)
    if news:
        _say(row, at)
    take_effect(row.decision, at=at)


def refused(row: Refund, words: str, *, at: datetime) -> None:
    """Stripe will not pay this back: nothing went back, and staff must look."""
    row.state, row.said = Refund.State.REFUSED, words[:400]
    row.save(update_fields=["state", "said"])
    balance(row.payment)
    _say(row, at)
    take_effect(row.decision, at=at)


def _say(row: Refund, at: datetime) -> None:
    """One line a state in the member's story; a failure is told to the member as well."""
    kind = f"refund.{row.state}"
    data = {"refund": row.pk, "amount": row.amount, "currency": row.currency, "basis": row.basis, "effect": row.effect}
    ref = row.stripe_id or f"refund:{row.pk}"
    timeline.write(member=row.membership.member, kind=kind, at=at, actor=row.actor, data=data, source_ref=ref)
    audit.write(actor=row.actor, verb=kind, subject=f"membership:{row.membership_id}", at=at, data=data)
    if row.state in (Refund.State.FAILED, Refund.State.CANCELED) and row.basis != Refund.Basis.MISPLACED:
        refund_letters.failed(row, at=at)


def take_effect(decision: str, *, at: datetime) -> None:
    """Once every refund of a decision is answered: do to the term what was decided, and write to the member.

    A decision of ours of which something was accepted counts also where the bank fails later: the money is still
    owed, and staff see it. One made at Stripe counts only while it stands.
    """
    rows = list(Refund.objects.filter(decision=decision).select_related("membership__member", "payment__invoice"))
    first = rows[0]
    if first.effected_at is not None or any(row.state == Refund.State.NOTED for row in rows):
        return
    counts = STANDING if first.basis == Refund.Basis.STRIPE else (*STANDING, Refund.State.FAILED)
    accepted = [row for row in rows if row.state in counts]
    if not accepted:
        if first.ends_membership:  # its subscription is canceled by then, which no letter has said
            farewell.tell_of_cancellation(membership=first.membership)
        return
    if first.ends_membership:
        _end(first, at)
    Refund.objects.filter(decision=decision).update(effected_at=at)
    if first.basis != Refund.Basis.MISPLACED and any(row.state in STANDING for row in accepted):
        refund_letters.made(accepted, at=at)


def _end(row: Refund, at: datetime) -> None:
    membership = Membership.objects.lock(row.membership_id)
    if membership.status in lifecycle.LIVING:
        endings.note(membership, at_period_end=row.ends_at is not None and row.ends_at > at)
        lifecycle.end(
            membership=membership,
            reason=Membership.EndReason.REFUNDED,
            at=at,
            actor=row.actor,
            cut_at=row.ends_at,
        )


def balance(payment: Payment) -> None:
    """Count anew what went back of a payment, and what its bank holds or has kept beyond that."""
    open_or_lost = Dispute.objects.filter(payment=payment).exclude(status__startswith="warning_").exclude(status="won")
    returned = min(payment.captured, _standing_sum(payment))
    disputed = min(payment.captured - returned, _sum(open_or_lost))
    payment.returned, payment.disputed = returned, disputed
    payment.save(update_fields=["returned", "disputed"])


def _standing_sum(payment: Payment) -> int:
    return _sum(Refund.objects.filter(payment=payment, state__in=STANDING))


def _sum(rows: Any) -> int:
    return int(rows.aggregate(sum=Sum("amount"))["sum"] or 0)
