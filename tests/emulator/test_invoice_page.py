"""The hosted invoice: read by whoever has its link, paid while it is open."""

from __future__ import annotations

import pytest

from billing.emulator.models import Record
from tests.emulator.pages import CARD, NBSP, card, text
from tests.emulator.test_facts import reopen

THREE_DS, ALWAYS_3DS_THEN_NO, NO_MONEY = "4000002500003155", "4000008260003178", "4000000000009995"


@pytest.fixture
def owed(bought):
    """The address of an open invoice for a year of gold."""
    reopen(bought.invoice.id)
    return "/stripe" + bought.invoice.hosted_invoice_url.split("/stripe", 1)[1]


@pytest.fixture
def invoice(api, bought):
    return lambda: api.invoices.retrieve(bought.invoice.id)


class TestAnOpenInvoice:
    def test_says_what_is_owed_and_for_which_time(self, client, owed, bought):
        page = text(client.get(owed))
        assert bought.invoice.number in page
        assert f"Pay €{NBSP}119.00" in page
        assert "2 March 2026 to 2 March 2027" in page
        assert "Later payments will be taken from this card, too." in page
        assert "TEST" in page

    def test_is_paid_with_another_card(self, client, owed, invoice, seller):
        answer = client.post(owed, card("5555555555554444"), follow=True)
        assert "Thank you, it is paid." in text(answer)
        assert "Mastercard •••• 4444" in text(answer)
        assert (invoice().status, invoice().amount_remaining) == ("paid", 0)
        seller.driver.run()
        assert {"charge.succeeded", "invoice.paid", "invoice_payment.paid"} <= set(seller.types())

    def test_makes_that_card_the_subscriptions(self, client, owed, api, bought, seller):
        before = bought.subscription.default_payment_method
        client.post(owed, card("5555555555554444"))
        after = api.subscriptions.retrieve(bought.subscription.id, {"expand": ["default_payment_method"]})
        assert after.default_payment_method.id != before
        assert after.default_payment_method.card.last4 == "4444"
        assert after.default_payment_method.customer == bought.customer
        seller.driver.run()
        assert "customer.subscription.updated" in seller.types()

    def test_stays_open_when_the_card_is_declined(self, client, owed, invoice):
        page = text(client.post(owed, card(NO_MONEY)))
        assert "The card has too little money on it. Nothing was charged." in page
        assert 'value="Ada Byron"' in page  # what was typed stays
        assert (invoice().status, invoice().attempt_count) == ("open", 1)

    def test_can_be_paid_after_a_decline(self, client, owed, api, invoice):
        client.post(owed, card(NO_MONEY))
        client.post(owed, CARD)
        assert invoice().status == "paid"
        intents = {one.payment_intent for one in api.charges.list().data}
        assert len(intents) == 2  # the purchase's, and one for all tries at this invoice

    def test_says_what_is_wrong_with_the_card_that_was_typed(self, client, owed):
        page = text(client.post(owed, CARD | {"number": "4242", "cvc": ""}))
        assert "Your card number is not complete or not valid." in page
        assert "Type the security code." in page

    def test_fills_a_test_card_in(self, client, owed):
        page = text(client.post(owed, {"fill": "4000 0025 0000 3155", "name": ""}))
        assert 'value="4000 0025 0000 3155"' in page
        assert 'value="Test Customer"' in page

    def test_speaks_german(self, client, owed):
        page = text(client.get(owed, headers={"accept-language": "de"}))
        assert "Noch nicht bezahlt" in page
        assert f"119,00{NBSP}€ zahlen" in page


class TestConfirmingWithTheBank:
    @pytest.fixture
    def step(self, client, owed):
        return client.post(owed, card(THREE_DS)).url

    def test_asks_on_a_page_of_its_own(self, client, step, invoice):
        assert f"whether it is you who pays €{NBSP}119.00" in text(client.get(step))
        assert invoice().status == "open"

    def test_pays_when_it_is_passed(self, client, step, invoice, owed):
        answer = client.post(step, {"complete": "1"})
        assert answer.url.endswith(f"{owed}?paid=1")
        assert invoice().status == "paid"

    def test_pays_nothing_when_it_fails(self, client, step, invoice):
        page = text(client.post(step, {"fail": "1"}, follow=True))
        assert "Your bank could not confirm that it is you. Nothing was charged." in page
        assert (invoice().status, invoice().attempt_count) == ("open", 0)

    def test_may_still_end_in_a_decline(self, client, owed, invoice):
        step = client.post(owed, card(ALWAYS_3DS_THEN_NO)).url
        page = text(client.post(step, {"complete": "1"}, follow=True))
        assert "The card has too little money on it." in page
        assert invoice().status == "open"

    def test_pays_once_from_two_tabs(self, client, step, invoice, api):
        for _ in range(2):
            client.post(step, {"complete": "1"})
        assert len(api.invoice_payments.list({"invoice": invoice().id, "status": "paid"}).data) == 2  # one of Checkout
        assert len(api.charges.list().data) == 2

    def test_leads_back_who_comes_later(self, client, step, owed):
        client.post(step, {"complete": "1"})
        assert client.get(step).url.endswith(owed)


class TestAnInvoiceThatIsNotOpen:
    def test_is_a_receipt_when_paid(self, client, bought):
        page = text(client.get("/stripe/i/" + bought.invoice.id))
        assert "Paid on" in page
        assert "Visa •••• 4242" in page
        assert 'name="number"' not in page
        assert "Thank you" not in page

    def test_says_what_was_sent_back(self, client, bought, api):
        api.refunds.create({"payment_intent": bought.invoice.payments.data[0].payment.payment_intent, "amount": 1900})
        page = text(client.get("/stripe/i/" + bought.invoice.id))
        assert "Sent back" in page
        assert f"€{NBSP}19.00" in page

    def test_takes_no_second_payment(self, client, bought, api):
        client.post("/stripe/i/" + bought.invoice.id, CARD)
        assert len(api.charges.list().data) == 1

    def test_takes_no_payment_when_void(self, client, owed, api, invoice):
        api.invoices.void_invoice(invoice().id)
        page = text(client.post(owed, CARD))
        assert "This invoice was taken back. There is nothing to pay." in page
        assert invoice().status == "void"

    def test_is_nothing_when_unknown_or_a_draft(self, client, bought):
        draft = Record.objects.get(stripe_id=bought.invoice.id)
        draft.data["status"] = "draft"
        draft.save()
        assert client.get("/stripe/i/" + bought.invoice.id).status_code == 404
        assert client.get("/stripe/i/in_none").status_code == 404


def test_voiding_gives_the_intent_up(client, owed, api, invoice):
    client.post(owed, card(NO_MONEY))
    api.invoices.void_invoice(invoice().id)
    intent = api.payment_intents.list().data[0]
    assert (intent.status, intent.cancellation_reason) == ("canceled", "void_invoice")
