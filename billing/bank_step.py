"""The bank's step: a change of plan whose bank wants its customer to confirm the payment (3-D Secure each time).

The change waits at Stripe as a pending update, with an open invoice: paid on its hosted page it applies, and sync
hears of it as of any other; voided, it is gone. Called by plan_change.py, which has asked without it first.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from billing import gateway
from billing.models import Operation

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from billing.models import Subscription

WAITS = "pending_if_incomplete"  # Stripe's payment_behavior


def begin(operation: Operation, made: dict[str, Any], *, look_at: datetime) -> str:
    """The answer says that the change waits: keep its Operation open until then. -> the page where it is confirmed.

    Raises StripeUnavailable, StripeRefused.
    """
    Operation.objects.filter(pk=operation.pk).update(state=Operation.State.UNKNOWN, look_at=look_at)
    invoice = gateway.read(gateway.client().v1.invoices.retrieve, made["latest_invoice"])
    return str(invoice["hosted_invoice_url"])


def withdraw(subscription: Subscription, calls: Iterable[Operation]) -> bool:
    """The quote has run out: what still waits for the bank must not be charged any more. -> whether something did.

    Raises StripeUnavailable.
    """
    if not any(call.params["payment_behavior"] == WAITS for call in calls):
        return False
    stripe = gateway.client().v1
    read = gateway.read(stripe.subscriptions.retrieve, subscription.stripe_id)
    if not read.get("pending_update"):
        return False
    with contextlib.suppress(gateway.StripeRefused):  # paid in this very moment
        gateway.call(stripe.invoices.void_invoice, read["latest_invoice"])
    return True
