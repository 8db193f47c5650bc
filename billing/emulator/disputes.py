"""Disputes: a cardholder asks the money back from the bank. Test cards open them, evidence texts decide them.

Nobody but a cardholder opens a dispute at Stripe, so the API cannot: `open_on` can, for the dashboard and for tests.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Literal

from django.db import transaction

from billing.emulator import clock, events, paging, payment_methods, store, test_clocks
from billing.emulator.errors import StripeError, unsupported
from billing.emulator.models import Record
from billing.emulator.routers import ALIAS
from billing.emulator.routing import endpoint
from billing.emulator.timeline import when_due

if TYPE_CHECKING:
    from billing.emulator.cards import Disputed
    from billing.emulator.wire import Call

    Reason = Literal["fraudulent", "product_not_received", "inquiry"]

KIND = "dispute"
DAY = 86_400
ANSWER_BY, INQUIRY_ENDS = 7 * DAY, 120 * DAY  # after it was opened
OPEN = frozenset({"needs_response", "under_review", "warning_needs_response", "warning_under_review"})
BLOCKS_REFUNDS = frozenset({"needs_response", "under_review", "lost"})
VERDICTS = {"winning_evidence": "won", "losing_evidence": "lost"}
NETWORK_REASONS = {"fraudulent": "10.4", "product_not_received": "13.1"}
FILES = frozenset(
    {
        "cancellation_policy", "customer_communication", "customer_signature", "duplicate_charge_documentation",
        "enhanced_evidence", "appeal", "receipt", "refund_policy", "service_documentation", "shipping_documentation",
        "uncategorized_file",
    }
)  # fmt: skip


def open_on(charge_id: str, *, reason: Reason = "fraudulent") -> Record:
    """The holder disputes this charge now. Raises StripeError for one that is not paid or disputed already."""
    with transaction.atomic(using=ALIAS):
        charge = Record.objects.select_for_update().get(kind="charge", stripe_id=charge_id)
        with test_clocks.standing_with(charge):
            return _open(charge, reason)


def win(dispute_id: str) -> Record:
    """The bank decides for the seller. Raises StripeError when it has been decided."""
    return _decided(dispute_id, "won")


def lose(dispute_id: str) -> Record:
    """The bank decides for the cardholder. Raises StripeError when it has been decided."""
    return _decided(dispute_id, "lost")


def _decided(dispute_id: str, verdict: str) -> Record:
    with transaction.atomic(using=ALIAS):
        dispute = Record.objects.select_for_update().get(kind=KIND, stripe_id=dispute_id)
        _must_be_open(dispute)
        with test_clocks.standing_with(dispute):
            _close(dispute, verdict)
        return dispute


def refuse_refund(charge: Record) -> None:
    """Raises `charge_disputed` when the bank has taken the money back, or may yet. An inquiry took nothing."""
    for dispute in store.of(KIND, parent=charge.stripe_id):
        if dispute.data["status"] in BLOCKS_REFUNDS:
            raise StripeError(
                f"Charge {charge.stripe_id} has been charged back; cannot issue a refund.", code="charge_disputed"
            )


@when_due("charge")
def holder_disputes(charge: Record) -> None:
    """A card that disputes what it paid does so."""
    charge.due_at = None
    store.save(charge)
    method = store.find(charge.data["payment_method"])
    reason: Disputed = payment_methods.card_of(method).dispute if method else ""
    if reason and not charge.data["disputed"] and not charge.data["refunded"]:
        _open(charge, reason)


def _open(charge: Record, reason: Reason) -> Record:
    if charge.data["status"] != "succeeded" or charge.data["refunded"]:
        raise StripeError(f"Charge {charge.stripe_id} holds no money that could be disputed.")
    if charge.data["disputed"]:
        raise StripeError(f"Charge {charge.stripe_id} has been disputed already.")
    charge.data["disputed"] = True
    store.save(charge)
    now, inquiry = clock.now(), reason == "inquiry"
    dispute = store.create(
        KIND,
        _shown(charge, reason, now),
        parent=charge.stripe_id,
        key=charge.data["payment_intent"] or "",
        due_at=now + (INQUIRY_ENDS if inquiry else ANSWER_BY),
    )
    events.emit("charge.dispute.created", dispute.data)
    if not inquiry:
        events.emit("charge.dispute.funds_withdrawn", dispute.data)
    return dispute


def _shown(charge: Record, reason: Reason, now: int) -> dict[str, Any]:
    inquiry, holder = reason == "inquiry", charge.data["billing_details"]
    why = "fraudulent" if inquiry else reason
    brand = charge.data["payment_method_details"]["card"]["brand"]
    return {
        "amount": charge.data["amount"] - charge.data["amount_refunded"],
        "balance_transactions": [],
        "charge": charge.stripe_id,
        "created": now,
        "currency": charge.data["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {
            "customer_email_address": holder["email"],
            "customer_name": holder["name"],
            "enhanced_evidence": {},
        },
        "evidence_details": {
            "due_by": now + ANSWER_BY,
            "enhanced_eligibility": {},
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "is_charge_refundable": inquiry,
        "network_reason_code": NETWORK_REASONS[why],
        "payment_intent": charge.data["payment_intent"],
        "payment_method_details": {
            "type": "card",
            "card": {
                "brand": brand,
                "case_type": "inquiry" if inquiry else "chargeback",
                "network": brand,
                "network_reason_code": NETWORK_REASONS[why],
            },
        },
        "reason": why,
        "status": "warning_needs_response" if inquiry else "needs_response",
    }


@endpoint("GET /v1/disputes/{id}")
def retrieve(call: Call) -> Record:
    return store.get(KIND, call.id)


@endpoint("GET /v1/disputes")
def index(call: Call) -> dict[str, Any]:
    return paging.page(call, store.of(KIND), {"charge": "parent", "payment_intent": "key"})


@endpoint("POST /v1/disputes/{id}")
def update(call: Call) -> Record:
    """Evidence, submitted to the bank unless `submit` is false; the bank answers at the next opportunity."""
    call.supports("evidence", "metadata", "submit")
    dispute = store.get(KIND, call.id)
    evidence = call.params.get("evidence") or {}
    if beyond := sorted(FILES & set(evidence)):
        raise unsupported(f"evidence[{beyond[0]}]")
    if evidence:
        _must_be_open(dispute)
    before = copy.deepcopy(dispute.data)
    dispute.data["metadata"] = store.merge_metadata(before["metadata"], call.params.get("metadata"))
    dispute.data["evidence"] |= {key: value or None for key, value in evidence.items()}
    dispute.data["evidence_details"]["has_evidence"] |= bool(evidence)
    if evidence and call.params.get("submit", True):
        _submit(dispute)
    events.updated(dispute, before, "charge.dispute.updated")
    return dispute


def _submit(dispute: Record) -> None:
    data, now = dispute.data, clock.now()
    details = data["evidence_details"]
    if details["submission_count"]:
        raise StripeError("You have already submitted evidence for this dispute.")
    details |= {
        "past_due": now > (details["due_by"] or now),
        "submission_count": 1,
        "submission_method": "manual",
    }
    data["status"] = "warning_under_review" if data["status"].startswith("warning") else "under_review"
    if data["evidence"]["uncategorized_text"] in VERDICTS:
        dispute.due_at = now


@endpoint("POST /v1/disputes/{id}/close")
def close(call: Call) -> Record:
    """The seller gives in."""
    dispute = store.get(KIND, call.id)
    _must_be_open(dispute)
    _close(dispute, "lost")
    return dispute


@when_due(KIND)
def decide(dispute: Record) -> None:
    """The bank has read the evidence, or waited long enough for some; an inquiry runs out without a verdict."""
    _close(dispute, VERDICTS.get(dispute.data["evidence"]["uncategorized_text"] or "", "lost"))


def _close(dispute: Record, verdict: str) -> None:
    inquiry = dispute.data["status"].startswith("warning")
    dispute.data["status"] = "warning_closed" if inquiry else verdict
    dispute.data["is_charge_refundable"] = inquiry or verdict == "won"
    dispute.due_at = None
    store.save(dispute)
    events.emit("charge.dispute.closed", dispute.data)
    if dispute.data["status"] == "won":
        events.emit("charge.dispute.funds_reinstated", dispute.data)


def _must_be_open(dispute: Record) -> None:
    if dispute.data["status"] not in OPEN:
        raise StripeError(f"This dispute is already closed: its status is {dispute.data['status']}.")
