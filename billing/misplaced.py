"""Money without a place: a subscription beside another, or paid after its membership had ended.

It is canceled and its money given back. The decision is Operation rows written in the transaction that saw it, so
whoever comes next, after a crash too, finishes the same calls under the same keys.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import transaction

from billing import gateway, operations
from billing.models import Operation
from membership import audit, clock, messages, timeline
from membership.models import Status

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from django.db.models import QuerySet

    from membership.models import Membership

CANCEL, REFUND = "cancel_misplaced", "refund_misplaced"


def is_known(subscription_id: str) -> bool:
    """Whether this subscription was turned away before."""
    return operations.is_noted(f"{CANCEL}:{subscription_id}")


def known(subscription_ids: Iterable[str]) -> set[str]:
    """Those of these subscriptions that were turned away before."""
    of_key = {f"{CANCEL}:{ident}#1": ident for ident in subscription_ids}
    return {of_key[key] for key in Operation.objects.filter(key__in=of_key).values_list("key", flat=True)}


def gives_back(invoice_id: str) -> bool:
    """Whether this invoice's money had no place and goes back."""
    return operations.is_noted(f"{REFUND}:{invoice_id}")


def note(membership: Membership, subscription_id: str, owed: list[dict[str, Any]], *, at: datetime) -> None:
    """Decide: this subscription is canceled and the `owed` invoices (Stripe's) are given back. Safe to repeat."""
    member = membership.member
    if not is_known(subscription_id):
        data = {"subscription": subscription_id, "invoices": [i["id"] for i in owed], "membership": membership.pk}
        timeline.write(
            member=member, kind="payment.misplaced", at=at, actor="stripe", data=data, source_ref=subscription_id
        )
        audit.write(actor="stripe", verb="give_back", subject=f"member:{member.pk}", at=at, data=data)
    operations.note(
        key=f"{CANCEL}:{subscription_id}", kind=CANCEL, params={"subscription": subscription_id}, member=member
    )
    for invoice in owed:
        currency = invoice["currency"].upper()
        params = {
            "subscription": subscription_id,
            "invoice": invoice["id"],
            "amount": gateway.from_stripe(invoice["amount_paid"], currency),
            "currency": currency,
            "after_leaving": membership.canceled_at is not None or membership.status == Status.ENDED,
        }
        operations.note(key=f"{REFUND}:{invoice['id']}", kind=REFUND, params=params, member=member)


def unfinished() -> QuerySet[Operation]:
    """What is noted here and not answered yet, oldest first."""
    waiting = Operation.objects.filter(kind__in=[CANCEL, REFUND], state=Operation.State.UNKNOWN)
    return waiting.order_by("asked_at", "pk")


def give_back(subscription_id: str) -> bool:
    """Cancel and refund at Stripe, as noted. Safe to repeat until every call has been answered.

    -> whether anything was done, so that it is worth reading again.
    """
    noted = operations.noted(f"{CANCEL}:{subscription_id}")
    if noted is None:
        return False
    # By the member, who has an index; what is inside `params` has none.
    waiting = Operation.objects.filter(
        member=noted.member_id, state__in=operations.OPEN, params__subscription=subscription_id
    )
    cancel = partial(gateway.client().v1.subscriptions.cancel, subscription_id)
    canceled = [operations.settle(one, cancel) for one in waiting.filter(kind=CANCEL)]
    returned = [_refund(one) for one in waiting.filter(kind=REFUND).select_related("member__user")]
    return any(canceled + returned)


def _refund(operation: Operation) -> bool:
    """Give back each payment of one invoice, under a key of its own. Done, and told, once all of them are answered.

    -> whether it is done.
    """
    stripe = gateway.client().v1
    payments = gateway.read_all(stripe.invoice_payments.list, {"invoice": operation.params["invoice"]})
    intents = [p["payment"]["payment_intent"] for p in payments if p["status"] == "paid"]
    made = [
        operations.part(
            operation,
            lambda intent=intent: stripe.refunds.create(  # type: ignore[misc]
                {"payment_intent": intent, "reason": "requested_by_customer"},
                {"idempotency_key": f"{operation.key}:{intent}"},
            ),
        )
        for intent in intents
    ]
    if not made or None in made:
        return False
    with transaction.atomic():  # what is done is never asked for again, so its letter must stand with it
        operations.done(operation, stripe_id=made[0] or "")
        _tell(operation)
    return True


def _tell(operation: Operation) -> None:
    messages.write(
        key=f"given_back:{operation.params['invoice']}",
        kind="payment_given_back",
        member=operation.member,
        at=clock.now(),
        context={name: operation.params.get(name) for name in ("amount", "currency", "after_leaving")},
    )
