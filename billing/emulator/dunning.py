"""Money that does not come: automatic attempts off session, the schedule of retries, and what stands at its end.

Stripe's Smart Retries have no published schedule: up to eight tries within two weeks. Ours are declared:
settings.LOCAL_STRIPE["RETRIES"], in days after the first try, and ["AFTER_RETRIES"]: cancel, unpaid or past_due.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from django.conf import settings

from billing.emulator import clock, customers, events, invoices, store, subscriptions
from billing.emulator.timeline import when_due

if TYPE_CHECKING:
    from billing.emulator.models import Record

DAY = 86_400
RETRIES = (0, 1, 3, 5, 7, 9, 11, 14)  # days after the first try
CANCEL, UNPAID, PAST_DUE = "cancel", "unpaid", "past_due"
# A card that answers so is not asked again; the schedule goes on and counts, for a new card may come.
HARD = frozenset(
    {
        "authentication_required",
        "highest_risk_level",
        "incorrect_number",
        "lost_card",
        "pickup_card",
        "revocation_of_all_authorizations",
        "revocation_of_authorization",
        "stolen_card",
        "transaction_not_allowed",
    }
)


def next_attempt(invoice: Record) -> int | None:
    due = invoice.data["status"] == "open" and invoice.data["auto_advance"]
    return invoice.data["next_payment_attempt"] if due else None


@when_due("invoice", at=next_attempt)
def attempt(invoice: Record) -> None:
    """Ask for the money, nobody being there: at finalization, then by the schedule."""
    if invoice.data["amount_due"] == 0:
        invoices.settle(invoice, intent=None, at=clock.now())
        return
    tries = invoice.hidden.setdefault("tries", [])
    tries.append(clock.now())
    following = _following(tries)
    if not _asked(invoice, following):
        customers.set_delinquent(invoice.customer, delinquent=True)
        _owes(invoice, over=following is None)


def _following(tries: list[int]) -> int | None:
    """The moment of the next try after these; None at the schedule's end."""
    days: tuple[int, ...] = settings.LOCAL_STRIPE.get("RETRIES", RETRIES)  # type: ignore[assignment]
    return tries[0] + days[len(tries)] * DAY if len(tries) < len(days) else None


def _asked(invoice: Record, following: int | None) -> bool:
    """Ask the card, unless there is none or it has refused for good. Returns whether the invoice is paid now."""
    method = invoices.method_of(invoice)
    if method is None or method.stripe_id == invoice.hidden.get("refused_for_good"):
        count = invoice.data["attempt_count"] + 1
        invoice.data |= {"attempt_count": count, "next_payment_attempt": following}
        invoices.not_paid(invoice, tells=True)
        return False
    tried = invoices.collect(invoice, method, at=clock.now(), automatic=True, next_attempt=following)
    if invoice.data["status"] == "paid":
        return True
    if tried.needs_authentication or tried.decline in HARD:
        invoice.hidden["refused_for_good"] = method.stripe_id
        store.save(invoice)
    return False


def _owes(invoice: Record, *, over: bool) -> None:
    """What an unpaid invoice does to its subscription; `over` at the schedule's end."""
    subscription = store.find(invoice.parent)
    if subscription is None or subscription.data["status"] not in {"active", "trialing", "past_due", "unpaid"}:
        return
    before = copy.deepcopy(subscription.data)
    if subscription.data["status"] != "unpaid":
        subscription.data["status"] = "past_due"
    after = settings.LOCAL_STRIPE.get("AFTER_RETRIES", CANCEL)
    if over and after == UNPAID:
        subscription.data["status"] = "unpaid"
    events.updated(subscription, before, "customer.subscription.updated")
    if over and after == CANCEL:
        subscriptions.end(subscription, at=clock.now(), reason="payment_failed")
