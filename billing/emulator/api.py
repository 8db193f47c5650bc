"""The whole API: every module that announces endpoints or things that happen by time, and the dispatcher."""

from __future__ import annotations

from billing.emulator import (
    account,
    balance,
    catalogue,
    checkout,
    customers,
    discounts,
    disputes,
    dunning,
    endpoints,
    events,
    invoice_changes,
    invoices,
    payment_methods,
    payments,
    portal,
    portal_sessions,
    preview,
    proration,
    refunds,
    renewals,
    setup_intents,
    subscription_changes,
    subscription_creation,
    subscriptions,
    test_clocks,
)
from billing.emulator.dispatch import before_answer, handle

MODULES = (
    account, balance, catalogue, checkout, customers, discounts, disputes, dunning, endpoints, events,
    invoice_changes, invoices, payment_methods, payments, portal, portal_sessions, preview, proration, refunds,
    renewals, setup_intents, subscription_changes, subscription_creation, subscriptions, test_clocks,
)  # fmt: skip

__all__ = ["MODULES", "before_answer", "handle"]
