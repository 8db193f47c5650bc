"""Stripe's test cards: what each number does. No other number is taken."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

ThreeDS = Literal["never", "unless_set_up", "always"]
Disputed = Literal["", "fraudulent", "product_not_received", "inquiry"]
Refunded = Literal["", "fails", "pending"]


@dataclass(frozen=True)
class Card:
    """One test card. `decline` is a decline code, e.g. insufficient_funds; the wire code follows from it.

    `dispute` is what its holder says of every charge soon after; `refund` what becomes of money sent back to it.
    """

    number: str
    tokens: tuple[str, ...]
    decline: str = ""
    attaches: bool = True
    three_ds: ThreeDS = "never"
    brand: str = "visa"
    dispute: Disputed = ""
    refund: Refunded = ""

    @property
    def last4(self) -> str:
        return self.number[-4:]


def _refused(number: str, decline: str, *names: str) -> Card:
    return Card(number, tuple(f"pm_card_{name}" for name in names), decline, attaches=False)


TABLE = (
    Card("4242424242424242", ("pm_card_visa",)),
    Card("5555555555554444", ("pm_card_mastercard",), brand="mastercard"),
    Card("378282246310005", ("pm_card_amex",), brand="amex"),
    _refused("4000000000000002", "generic_decline", "visa_chargeDeclined", "chargeDeclined"),
    _refused(
        "4000000000009995",
        "insufficient_funds",
        "visa_chargeDeclinedInsufficientFunds",
        "chargeDeclinedInsufficientFunds",
    ),
    _refused("4000000000009987", "lost_card", "visa_chargeDeclinedLostCard", "chargeDeclinedLostCard"),
    _refused("4000000000009979", "stolen_card", "visa_chargeDeclinedStolenCard", "chargeDeclinedStolenCard"),
    _refused("4000000000000069", "expired_card", "chargeDeclinedExpiredCard"),
    _refused("4000000000000127", "incorrect_cvc", "chargeDeclinedIncorrectCvc"),
    _refused("4000000000000119", "processing_error", "chargeDeclinedProcessingError"),
    Card("4000000000000341", ("pm_card_chargeCustomerFail",), "generic_decline"),
    Card("4000002500003155", ("pm_card_authenticationRequiredOnSetup",), three_ds="unless_set_up"),
    Card("4000002760003184", ("pm_card_authenticationRequired",), three_ds="always"),
    Card("4000000000003220", ("pm_card_threeDSecure2Required",), three_ds="always"),
    Card(
        "4000008260003178",
        ("pm_card_authenticationRequiredChargeDeclinedInsufficientFunds",),
        "insufficient_funds",
        three_ds="always",
    ),
    Card("4000003800000446", ("pm_card_authenticationRequiredSetupForOffSession",), three_ds="unless_set_up"),
    Card("4000000000000259", ("pm_card_createDispute",), dispute="fraudulent"),
    Card("4000000000002685", ("pm_card_createDisputeProductNotReceived",), dispute="product_not_received"),
    Card("4000000000001976", ("pm_card_createDisputeInquiry",), dispute="inquiry"),
    Card("4000000000005126", ("pm_card_refundFail",), refund="fails"),
    Card("4000000000007726", ("pm_card_pendingRefund",), refund="pending"),
)
BY_NUMBER = {card.number: card for card in TABLE}
BY_TOKEN = {token: card for card in TABLE for token in card.tokens}

# decline code -> (wire code, message). Codes that are no decline codes on the wire stand for themselves.
DECLINES = {
    "generic_decline": ("card_declined", "Your card was declined."),
    "insufficient_funds": ("card_declined", "Your card has insufficient funds."),
    "lost_card": ("card_declined", "Your card was declined."),
    "stolen_card": ("card_declined", "Your card was declined."),
    "expired_card": ("expired_card", "Your card has expired."),
    "incorrect_cvc": ("incorrect_cvc", "Your card's security code is incorrect."),
    "processing_error": (
        "processing_error",
        "An error occurred while processing your card. Try again in a little bit.",
    ),
    "authentication_required": (
        "authentication_required",
        "Your card was declined. This transaction requires authentication.",
    ),
    "authentication_failed": (
        "payment_intent_authentication_failure",
        "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
    ),
}


def by_number(typed: str) -> Card | None:
    """The test card somebody typed; spaces and dashes do not matter."""
    return BY_NUMBER.get(re.sub(r"[\s-]", "", typed))


def plausible(typed: str) -> bool:
    """Long enough, and its check digit (Luhn) is right."""
    digits = [int(d) for d in reversed(re.sub(r"[\s-]", "", typed)) if d.isdigit()]
    if len(digits) < 13:
        return False
    doubled = [sum(divmod(2 * d, 10)) for d in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
