"""What billing tells a person of themselves: what they were charged, paid, got back and declared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q

from billing.models import (
    AskedRefund,
    CheckoutSession,
    Customer,
    Declaration,
    Dispute,
    Invoice,
    InvoiceLine,
    Notice,
    OfflinePayment,
    Operation,
    Payment,
    PlanQuote,
    ReconcileFinding,
    Refund,
    Subscription,
)
from membership.own_data import leave_out, part

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from membership.models import User


def _declarations(user: User) -> QuerySet[Declaration]:
    """Theirs by what came of it; one that nobody has placed yet is not shown to whoever it may be about."""
    return Declaration.objects.filter(Q(member__user=user) | Q(membership__member__user=user))


part("stripe_customer", Customer, lambda user: Customer.objects.filter(member__user=user), "stripe_id", "currency")
part(
    "checkouts",
    CheckoutSession,
    lambda user: CheckoutSession.objects.filter(membership__member__user=user),
    *("membership", "state", "opened_at"),
)
part(
    "subscriptions",
    Subscription,
    lambda user: Subscription.objects.filter(membership__member__user=user),
    *("membership", "stripe_id", "status", "cancel_at_period_end", "cancel_at", "current_period_end"),
)
part(
    "invoices",
    Invoice,
    lambda user: Invoice.objects.filter(membership__member__user=user),
    *("membership", "number", "stripe_id", "status", "currency", "total", "amount_paid", "amount_due", "made_at"),
    *("paid_at", "attempts", "decline_code", "card_last4"),
)
part(
    "invoice_lines",
    InvoiceLine,
    lambda user: InvoiceLine.objects.filter(invoice__membership__member__user=user),
    *("invoice__number", "description", "amount", "discount", "starts_at", "ends_at"),
)
part(
    "payments",
    Payment,
    lambda user: Payment.objects.filter(membership__member__user=user),
    *("invoice__number", "stripe_id", "currency", "captured", "returned", "disputed", "country", "paid_at"),
)
part(
    "payments_offline",
    OfflinePayment,
    lambda user: OfflinePayment.objects.filter(member__user=user),
    *("reference", "means", "amount", "currency", "paid_on", "recorded_at"),
)
part(
    "refunds",
    Refund,
    lambda user: Refund.objects.filter(membership__member__user=user),
    *("membership", "basis", "effect", "amount", "currency", "working", "state", "stripe_id", "decided_at", "ends_at"),
)
part(
    "disputes",
    Dispute,
    lambda user: Dispute.objects.filter(membership__member__user=user),
    *("stripe_id", "amount", "currency", "status", "reason", "opened_at", "closed_at"),
)
part(
    "notices",
    Notice,
    lambda user: Notice.objects.filter(membership__member__user=user),
    *("membership", "kind", "step", "sent_at", "skipped_reason"),
)
part(
    "declarations",
    Declaration,
    _declarations,
    *("kind", "for_cause", "reason", "name", "email", "number", "wanted_on", "contact", "language", "done_at"),
)
leave_out("an offer of a few minutes; what came of it are changes of plan and invoices", PlanQuote)
leave_out("what colleagues asked of each other; what came of it are refunds", AskedRefund)
leave_out("calls between our machines and Stripe; what came of them are the rows here", Operation)
leave_out("differences between our machines and Stripe, mended or not", ReconcileFinding)
