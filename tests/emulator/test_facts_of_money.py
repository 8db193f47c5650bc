"""Facts about money going back at the real Stripe, each shown on the local one; see `test_facts`."""

from __future__ import annotations

import pytest
import stripe

from billing.emulator import disputes, refunds
from tests.emulator.test_facts import DOCS, SDK, TRACES, fact, reopen

DISPUTES, NOT_RECEIVED, INQUIRY = "4000000000000259", "4000000000002685", "4000000000001976"
REFUND_FAILS, REFUND_PENDING = "4000000000005126", "4000000000007726"


@pytest.fixture
def charge_on(api, open_session, pay):
    """Buys a year with this card; the charge as it stands right after."""

    def make(number):
        pay(open_session(), number)
        return api.charges.list({"limit": 1}).data[0]

    return make


@pytest.fixture
def dispute_on(api, charge_on):
    """Buys a year with this card; the dispute that follows."""

    def make(number):
        return api.disputes.list({"charge": charge_on(number).id}).data[0]

    return make


def kinds(seller, *prefixes):
    """The types of what has been delivered, of these prefixes alone."""
    seller.driver.run()
    return [kind for kind in seller.types() if kind.startswith(prefixes)]


def submit(api, dispute, text):
    """Submit evidence; the dispute after the bank has read it."""
    api.disputes.update(dispute.id, {"evidence": {"uncategorized_text": text}})
    return api.disputes.retrieve(dispute.id)


@fact("A refund is told as `refund.created`, `charge.refunded`, `refund.updated` and `charge.refund.updated`.", TRACES)
def test_events_of_a_refund(api, charge_on, seller):
    charge = charge_on("4242424242424242")
    api.refunds.create({"charge": charge.id, "amount": 1900})
    told = ["refund.created", "charge.refunded", "refund.updated", "charge.refund.updated"]
    assert kinds(seller, "refund", "charge.refund") == told


@fact("A part refunded leaves the charge not `refunded`, with `amount_refunded` the sum of the parts.", SDK)
def test_parts(api, charge_on):
    charge = charge_on("4242424242424242")
    for amount in (1900, 5000):
        api.refunds.create({"charge": charge.id, "amount": amount})
    after = api.charges.retrieve(charge.id)
    assert (after.amount_refunded, after.refunded) == (6900, False)
    api.refunds.create({"charge": charge.id})
    after = api.charges.retrieve(charge.id)
    assert (after.amount_refunded, after.refunded) == (11900, True)


@fact("On card …5126 a refund has `succeeded` and turns `failed` later, told as `refund.failed`.", DOCS)
def test_refund_fails(api, charge_on, seller, clock):
    refund = api.refunds.create({"charge": charge_on(REFUND_FAILS).id})
    assert refund.status == "succeeded"
    clock.move(seconds=refunds.LATER)
    after = api.refunds.retrieve(refund.id, {"expand": ["charge"]})
    assert (after.status, after.failure_reason) == ("failed", "expired_or_canceled_card")
    assert (after.charge.amount_refunded, after.charge.refunded) == (0, False)
    assert kinds(seller, "refund.f") == ["refund.failed"]


@fact("On card …7726 a refund is `pending` and turns `succeeded` later, told as `refund.updated`.", DOCS)
def test_refund_waits(api, charge_on, seller, clock):
    refund = api.refunds.create({"charge": charge_on(REFUND_PENDING).id})
    assert (refund.status, refund.pending_reason) == ("pending", "processing")
    assert kinds(seller, "refund") == ["refund.created"]
    clock.move(seconds=refunds.LATER)
    assert api.refunds.retrieve(refund.id).status == "succeeded"
    assert kinds(seller, "refund") == ["refund.created", "refund.updated"]


@fact("Cards …0259 and …2685 pay, then dispute: `charge.dispute.created` and `funds_withdrawn` follow.", DOCS)
@pytest.mark.parametrize(("number", "reason"), [(DISPUTES, "fraudulent"), (NOT_RECEIVED, "product_not_received")])
def test_cards_that_dispute(api, dispute_on, seller, number, reason):
    dispute = dispute_on(number)
    assert (dispute.status, dispute.reason, dispute.amount) == ("needs_response", reason, 11900)
    assert not dispute.is_charge_refundable
    assert api.charges.retrieve(dispute.charge).disputed
    told = ["charge.succeeded", "charge.dispute.created", "charge.dispute.funds_withdrawn"]
    assert kinds(seller, "charge.") == told


@fact("Card …1976 opens an inquiry: `warning_needs_response`, nothing withdrawn, still refundable.", DOCS)
def test_inquiry(api, dispute_on, seller):
    dispute = dispute_on(INQUIRY)
    assert (dispute.status, dispute.is_charge_refundable) == ("warning_needs_response", True)
    assert kinds(seller, "charge.dispute") == ["charge.dispute.created"]
    assert api.refunds.create({"charge": dispute.charge}).status == "succeeded"


@fact("A refund of a disputed charge is refused as `charge_disputed`.", DOCS)
def test_disputed_charge(api, dispute_on):
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        api.refunds.create({"charge": dispute_on(DISPUTES).charge})
    assert refusal.value.code == "charge_disputed"


@fact("The evidence text `winning_evidence` wins a dispute: it is closed, and the funds reinstated.", DOCS)
def test_won(api, dispute_on, seller):
    assert submit(api, dispute_on(DISPUTES), "winning_evidence").status == "won"
    told = ["created", "funds_withdrawn", "updated", "closed", "funds_reinstated"]
    assert kinds(seller, "charge.dispute") == [f"charge.dispute.{what}" for what in told]


@fact("The evidence text `losing_evidence` loses it: it is closed, and nothing comes back.", DOCS)
def test_lost(api, dispute_on, seller):
    assert submit(api, dispute_on(DISPUTES), "losing_evidence").status == "lost"
    told = ["created", "funds_withdrawn", "updated", "closed"]
    assert kinds(seller, "charge.dispute") == [f"charge.dispute.{what}" for what in told]


@fact("Closing a dispute accepts it: its status is `lost`, for good.", SDK)
def test_accepted(api, dispute_on):
    dispute = dispute_on(DISPUTES)
    assert api.disputes.close(dispute.id).status == "lost"
    with pytest.raises(stripe.InvalidRequestError):
        api.disputes.close(dispute.id)


@fact("Evidence with `submit` false is staged: it can be changed, and the bank does not see it.", SDK)
def test_staged(api, dispute_on):
    params = {"evidence": {"uncategorized_text": "winning_evidence"}, "submit": False}
    staged = api.disputes.update(dispute_on(DISPUTES).id, params)
    details = staged.evidence_details
    assert (staged.status, details.has_evidence, details.submission_count) == ("needs_response", True, 0)
    assert api.disputes.retrieve(staged.id).status == "needs_response"


@fact("Any first try to pay an invoice is counted, afterwards only automatic retries are.", SDK)
def test_tries_counted(api, bought, ada):
    reopen(bought.invoice.id)
    card = api.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": ada.id})
    for _ in range(2):
        with pytest.raises(stripe.CardError):
            api.invoices.pay(bought.invoice.id, {"payment_method": card.id})
    assert api.invoices.retrieve(bought.invoice.id).attempt_count == 1


# --- what is ours alone ----------------------------------------------------------------------------------------------


def test_any_charge_can_be_disputed_by_hand(api, charge_on, seller):
    charge = charge_on("4242424242424242")
    dispute = disputes.open_on(charge.id, reason="product_not_received")
    assert api.disputes.retrieve(dispute.stripe_id).charge == charge.id
    disputes.win(dispute.stripe_id)
    assert api.disputes.retrieve(dispute.stripe_id).status == "won"
    assert kinds(seller, "charge.dispute")[-1] == "charge.dispute.funds_reinstated"
    assert api.refunds.create({"charge": charge.id}).status == "succeeded"


def test_a_part_refunded_before_is_not_disputed_again(api, charge_on):
    charge = charge_on("4242424242424242")
    api.refunds.create({"charge": charge.id, "amount": 1900})
    assert disputes.open_on(charge.id).data["amount"] == 10000


def test_a_dispute_nobody_answers_is_lost(api, dispute_on, clock):
    dispute = dispute_on(DISPUTES)
    clock.move(days=7)
    assert api.disputes.retrieve(dispute.id).status == "lost"


def test_lists_a_reconcile_walks(api, charge_on, clock):
    first = charge_on("4242424242424242")
    clock.move(days=1)
    since = int(clock.now.timestamp())
    second = charge_on(REFUND_PENDING)
    refund = api.refunds.create({"payment_intent": second.payment_intent})
    dispute = disputes.open_on(first.id)
    assert [one.id for one in api.charges.list({"created": {"gte": since}}).data] == [second.id]
    assert [one.id for one in api.charges.list({"payment_intent": first.payment_intent}).data] == [first.id]
    assert [one.id for one in api.refunds.list({"payment_intent": second.payment_intent}).data] == [refund.id]
    assert api.refunds.list({"created": {"lt": since}}).data == []
    for found in ({"charge": first.id}, {"payment_intent": first.payment_intent}, {"created": {"gte": since}}):
        assert [one.id for one in api.disputes.list(found).data] == [dispute.stripe_id]
