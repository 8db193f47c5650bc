"""Doubled payments: a subscription that slipped in beside another, or was paid after its membership had ended.

It is canceled and its money given back. The decision is an Operation row written in the transaction that saw it, so
whoever comes next, after a crash too, finishes the same calls under the same keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from billing import gateway
from billing.models import Operation
from membership import audit, messages, timeline
from membership.models import Membership

if TYPE_CHECKING:
    from datetime import datetime


def is_known(subscription_id: str) -> bool:
    """Whether this subscription was turned away before."""
    return Operation.objects.filter(key=_cancel_key(subscription_id)).exists()


def note(membership: Membership, subscription_id: str, invoices: list[dict[str, Any]], *, at: datetime) -> None:
    """Decide: this subscription is canceled, what it charged is given back, and its payer is told."""
    member = membership.member
    gateway.operation(key=_cancel_key(subscription_id), kind="cancel", params={}, member=member)
    paid = [i for i in invoices if i["amount_paid"] > 0]
    for invoice in paid:
        gateway.operation(
            key=f"refund-doubled:{invoice['id']}",
            kind="refund",
            params={"invoice": invoice["id"], "subscription": subscription_id},
            member=member,
        )
    data = {"subscription": subscription_id, "invoices": [i["id"] for i in paid], "membership": membership.pk}
    timeline.write(member=member, kind="payment.doubled", at=at, actor="stripe", data=data, source_ref=subscription_id)
    audit.write(actor="stripe", verb="refund_doubled", subject=f"member:{member.pk}", at=at, data=data)
    if paid:
        currency = paid[0]["currency"].upper()
        amount = sum(gateway.from_stripe(i["amount_paid"], currency) for i in paid)
        messages.write(
            key=f"doubled:{subscription_id}",
            kind="payment_given_back",
            member=member,
            at=at,
            context={"amount": amount, "currency": currency},
        )


def give_back(subscription_id: str) -> None:
    """Cancel and refund at Stripe, as noted. Safe to repeat until every call has been answered."""
    stripe = gateway.client().v1
    cancel = Operation.objects.get(key=_cancel_key(subscription_id))
    if cancel.state == Operation.State.UNKNOWN:
        gateway.settle(cancel, lambda: stripe.subscriptions.cancel(subscription_id))
    refunds = Operation.objects.filter(
        kind="refund", state=Operation.State.UNKNOWN, params__subscription=subscription_id
    )
    for refund in refunds:
        _refund(refund)


def _refund(operation: Operation) -> None:
    stripe = gateway.client().v1
    payments = gateway.read_all(stripe.invoice_payments.list, {"invoice": operation.params["invoice"]})
    intents = [p["payment"].get("payment_intent") for p in payments if p["status"] == "paid"]
    for intent in filter(None, intents):
        params = {"payment_intent": intent, "reason": "duplicate"}
        gateway.settle(
            operation,
            lambda params=params: stripe.refunds.create(params, {"idempotency_key": operation.key}),  # type: ignore[misc]
        )


def _cancel_key(subscription_id: str) -> str:
    return f"cancel-doubled:{subscription_id}"
