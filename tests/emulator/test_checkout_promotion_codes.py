"""Promotion codes on the hosted Checkout page: the price is never another than the one that was seen."""

from __future__ import annotations

import re

import pytest

from tests.emulator.pages import CARD, NBSP, address, card, text


class TestAPromotionCode:
    @pytest.fixture
    def session(self, open_session):
        return open_session(allow_promotion_codes=True)

    def test_lowers_the_price_and_can_be_taken_off(self, client, session, state, coupon):
        coupon("WELCOME", percent_off=20)

        page = text(client.post(address(session), {"code": "welcome", "apply": "1"}, follow=True))
        assert f"Pay €{NBSP}95.20 and subscribe" in page
        assert f"Then €{NBSP}119.00 every year" in page
        assert state().total_details.amount_discount == 2380

        client.post(address(session), {"remove": "1"})
        assert state().amount_total == 11900

    def test_is_on_the_invoice(self, client, session, state, coupon, api):
        code = coupon("WELCOME", percent_off=20)
        client.post(address(session), {"code": "WELCOME", "apply": "1"})
        client.post(address(session), CARD)

        invoice = api.invoices.retrieve(state().invoice, {"expand": ["discounts"]})
        assert (invoice.subtotal, invoice.total, invoice.amount_paid) == (11900, 9520, 9520)
        assert invoice.discounts[0].promotion_code == code.id
        assert invoice.total_discount_amounts[0].amount == 2380
        assert api.promotion_codes.retrieve(code.id).times_redeemed == 1

    def test_that_takes_all_leaves_nothing_to_pay(self, client, session, state, coupon, api):
        coupon("FREE", percent_off=100)
        client.post(address(session), {"code": "FREE", "apply": "1"})
        client.post(address(session), CARD)

        paid = state()
        assert paid.payment_status == "no_payment_required"
        assert api.invoices.retrieve(paid.invoice).status == "paid"
        assert api.subscriptions.retrieve(paid.subscription).status == "active"

    def test_that_is_wrong_is_told_in_words(self, client, session):
        answer = client.post(address(session), {"code": "WELCOM", "apply": "1"})
        assert "We do not know this code." in text(answer)
        assert 'value="WELCOM"' in text(answer)

    def test_that_is_used_up_is_told_in_words(self, client, open_session, session, coupon):
        coupon("ONCE", max_redemptions=1)
        for one in (session, open_session(allow_promotion_codes=True)):
            answer = client.post(address(one), {"code": "ONCE", "apply": "1"}, follow=True)
            client.post(address(one), CARD)
        assert "no longer valid" in text(answer)

    def test_that_runs_out_before_paying_is_taken_off_and_nothing_is_charged(self, client, session, coupon, api, clock):
        coupon("TODAY", expires_at=int(clock.now.timestamp()) + 3600)
        client.post(address(session), {"code": "TODAY", "apply": "1"})
        clock.move(hours=2)

        answer = client.post(address(session), CARD)

        page = text(client.get(answer.url))
        assert "The price has changed" in page
        assert f"Pay €{NBSP}119.00 and subscribe" in page
        assert api.charges.list().data == []

    def test_taken_off_in_another_tab_charges_nothing_unseen(self, client, session, coupon, api):
        coupon("WELCOME", percent_off=20)
        client.post(address(session), {"code": "WELCOME", "apply": "1"})
        (shown,) = re.findall(r'name="shown" value="(\d+)"', text(client.get(address(session))))
        client.post(address(session), {"remove": "1"})

        answer = client.post(address(session), CARD | {"shown": shown}, follow=True)

        assert shown == "9520"
        assert "The price has changed" in text(answer)
        assert api.charges.list().data == []

    def test_taken_off_while_the_bank_asks_charges_nothing(self, client, session, coupon, api, state):
        coupon("WELCOME", percent_off=20)
        client.post(address(session), {"code": "WELCOME", "apply": "1"})
        step = client.post(address(session), card("4000002500003155")).url
        client.post(address(session), {"remove": "1"})

        answer = client.post(step, {"complete": "1"}, follow=True)

        assert "The price has changed" in text(answer)
        assert api.charges.list().data == []
        assert state().status == "open"

    def test_for_first_purchases_is_refused_to_who_has_bought(self, client, session, bought, coupon):
        coupon("FIRST", restrictions={"first_time_transaction": True})
        answer = client.post(address(session), {"code": "FIRST", "apply": "1"})
        assert "first purchases only" in text(answer)

    def test_is_not_taken_where_the_session_does_not_ask(self, client, open_session, coupon, api):
        session = open_session()
        coupon("WELCOME")
        client.post(address(session), {"code": "WELCOME", "apply": "1"})
        assert api.checkout.sessions.retrieve(session.id).amount_total == 11900
