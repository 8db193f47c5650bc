"""Invoices changed by hand: what the product does with a renewal that must not, or must again, be collected."""

from __future__ import annotations

import pytest
import stripe

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def held(api, bought, clock):
    """A subscription whose renewal came while its collection was paused. -> the renewal's invoice"""
    api.subscriptions.update(bought.subscription.id, {"pause_collection": {"behavior": "keep_as_draft"}})
    clock.move(days=370)
    return api.invoices.list({"subscription": bought.subscription.id}).data[0]


def test_a_renewal_while_collection_is_paused_stays_a_draft(api, held):
    assert (held.billing_reason, held.status, held.auto_advance) == ("subscription_cycle", "draft", False)


def test_a_draft_that_advances_again_has_its_hour_and_is_paid(api, held, clock):
    assert api.invoices.update(held.id, {"auto_advance": True}).automatically_finalizes_at
    clock.move(hours=2)
    assert api.invoices.retrieve(held.id).status == "paid"


def test_a_draft_finalized_without_advancing_charges_nobody_and_can_be_voided(api, held, clock):
    assert api.invoices.finalize_invoice(held.id, {"auto_advance": False}).status == "open"
    clock.move(days=20)
    assert api.invoices.retrieve(held.id).attempt_count == 0
    assert api.invoices.void_invoice(held.id).status == "void"
    with pytest.raises(stripe.InvalidRequestError, match="non-draft"):
        api.invoices.finalize_invoice(held.id, {"auto_advance": False})
