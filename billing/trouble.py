"""Trouble: why an invoice is not paid, read from its payment at Stripe. Called by sync while it reads.

Stripe's docs (reference: decline codes, "never sent again") name the codes after which the same card is not asked any
more; one that wants its holder to confirm is a case of its own, since the holder can.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from billing import gateway
from billing.models import Invoice

HARD = frozenset(
    [
        "incorrect_number",
        "lost_card",
        "pickup_card",
        "stolen_card",
        "revocation_of_authorization",
        "revocation_of_all_authorizations",
        "highest_risk_level",
        "transaction_not_allowed",
    ]
)
CONFIRM = "authentication_required"
NONE: dict[str, str] = {"trouble": "", "decline_code": "", "card_last4": "", "failed_card": ""}


# What a decline code means to the person whose card it is; any other says no more than "no".
REASONS = {
    "expired_card": _("The card has expired."),
    "insufficient_funds": _("There was not enough money on the card."),
    "card_velocity_exceeded": _("The card's limit has been reached."),
    "withdrawal_count_limit_exceeded": _("The card's limit has been reached."),
    "incorrect_cvc": _("The card's security code is wrong."),
    "incorrect_number": _("The card's number is wrong."),
    "processing_error": _("Something went wrong between the banks."),
    "lost_card": _("The bank does not take this card any more."),
    "stolen_card": _("The bank does not take this card any more."),
    "pickup_card": _("The bank does not take this card any more."),
}


def reason(invoice: Invoice) -> str:
    """A sentence about why the card said no, in the reader's language; "" where the bank gave no reason."""
    return str(REASONS.get(invoice.decline_code, ""))


def of(invoice: dict[str, Any]) -> dict[str, str]:
    """The fields of our Invoice that say what is wrong with Stripe's `invoice`; empty when nothing was tried."""
    if invoice["status"] != "open" or not invoice["attempted"]:
        return NONE
    intent = _intent(invoice["id"])
    return from_intent(intent) if intent else NONE | {"trouble": Invoice.Trouble.NO_CARD}


def _intent(invoice_id: str) -> dict[str, Any] | None:
    """The newest payment that was tried for an invoice."""
    stripe = gateway.client().v1
    payments = gateway.read_all(stripe.invoice_payments.list, {"invoice": invoice_id})
    intents = [p["payment"].get("payment_intent") for p in payments if p["status"] != "canceled"]
    return gateway.read(stripe.payment_intents.retrieve, intents[0]) if intents and intents[0] else None


def from_intent(intent: dict[str, Any]) -> dict[str, str]:
    """What is wrong, from the payment intent alone. Pure."""
    error = intent.get("last_payment_error") or {}
    codes = {error.get("code"), error.get("decline_code")}
    method = error.get("payment_method") or {}
    if intent["status"] == "requires_action" or CONFIRM in codes:
        kind = Invoice.Trouble.ACTION
    elif codes & HARD:
        kind = Invoice.Trouble.HARD
    elif error:
        kind = Invoice.Trouble.DECLINED
    else:
        kind = Invoice.Trouble.NO_CARD
    return {
        "trouble": kind,
        "decline_code": str(error.get("decline_code") or error.get("code") or "")[:60],
        "card_last4": (method.get("card") or {}).get("last4") or "",
        "failed_card": method.get("id") or str(intent.get("payment_method") or ""),
    }
