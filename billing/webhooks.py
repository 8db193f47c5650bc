"""Webhooks: one line an event. Each is a hint which object to read again; none is believed by itself.

`invoice.created` is left out on purpose: Stripe holds back the charge of a renewal, up to 72 h, while an endpoint that
asked for it does not answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from billing import gateway, hints, new_card, sync
from membership import work

if TYPE_CHECKING:
    from billing.models import StripeEvent

HANDLERS: dict[str, Callable[[str], object]] = {
    # the pay page: paid, or left until it ran out
    "checkout.session.completed": sync.checkout,
    "checkout.session.expired": sync.checkout,
    # the subscription: any of them may come first, or alone
    "customer.subscription.created": sync.subscription,
    "customer.subscription.updated": sync.subscription,
    "customer.subscription.deleted": sync.subscription,
    # the invoice: the only thing that extends a membership is one that was paid
    "invoice.finalized": sync.invoice,
    "invoice.paid": sync.invoice,
    "invoice.payment_failed": sync.invoice,
    "invoice.payment_action_required": sync.invoice,
    "invoice.voided": sync.invoice,
    "invoice.marked_uncollectible": sync.invoice,
    "invoice.updated": sync.invoice,  # the next try was moved
    # another card, maybe: what was declined is paid with it at once
    "customer.updated": new_card.told,
    # money that goes back, and money that is contested: what it does to the membership is decided on reading it
    "charge.refunded": hints.charge,
    "refund.created": hints.refund,
    "refund.updated": hints.refund,
    "refund.failed": hints.refund,
    "charge.dispute.created": hints.dispute,
    "charge.dispute.updated": hints.dispute,
    "charge.dispute.closed": hints.dispute,
    "charge.dispute.funds_withdrawn": hints.dispute,
    "charge.dispute.funds_reinstated": hints.dispute,
}


def dispatch(event: StripeEvent) -> None:
    """Read again what the event speaks of. An event of a type we did not ask for is done as it is.

    Parks one whose object Stripe does not know: asking the same again and again would not bring it back.
    """
    handler = HANDLERS.get(event.type)
    if handler is None:
        return
    try:
        handler(event.object_id)
    except gateway.StripeRefused as refusal:
        if gateway.is_missing(refusal):
            raise work.Park(f"{event.object_id} is not there at Stripe") from refusal
        raise
