"""Money's records, a module a subject."""

from billing.models.approvals import AskedRefund
from billing.models.changes import PlanQuote
from billing.models.customers import Customer, StripeAccount, StripePrice
from billing.models.declarations import Declaration
from billing.models.events import StripeEvent
from billing.models.notices import Notice
from billing.models.offline import OfflinePayment
from billing.models.operations import Operation
from billing.models.reconciling import ReconcileFinding, ReconcileRun
from billing.models.refunds import STANDING, Dispute, Payment, Refund
from billing.models.subscriptions import LIVE, CheckoutSession, Invoice, InvoiceLine, Subscription, term_ref

__all__ = [
    "LIVE",
    "STANDING",
    "AskedRefund",
    "CheckoutSession",
    "Customer",
    "Declaration",
    "Dispute",
    "Invoice",
    "InvoiceLine",
    "Notice",
    "OfflinePayment",
    "Operation",
    "Payment",
    "PlanQuote",
    "ReconcileFinding",
    "ReconcileRun",
    "Refund",
    "StripeAccount",
    "StripeEvent",
    "StripePrice",
    "Subscription",
    "term_ref",
]
