"""The hosted Checkout page, used as a browser without JavaScript would."""

from __future__ import annotations

import threading

import pytest
from django.core.management import call_command
from django.db import connections
from django.test import Client

from billing.emulator.models import Record
from tests.emulator.conftest import make_price
from tests.emulator.pages import CARD, NBSP, address, card, text


class TestThePage:
    def test_says_what_is_bought_what_it_costs_and_when_it_renews(self, client, session, clock):
        page = text(client.get(address(session)))

        assert "Gold membership" in page
        assert f"Pay €{NBSP}119.00 and subscribe" in page
        assert f"Then €{NBSP}119.00 every year, for the first time on" in page
        assert "ada@example.com" in page
        assert "TEST" in page

    def test_speaks_the_language_of_the_session(self, client, open_session):
        answer = client.get(address(open_session(locale="de")))

        assert answer.headers["Content-Language"] == "de"
        assert '<html lang="de">' in text(answer)
        assert f"119,00{NBSP}€" in text(answer)

    def test_shows_the_first_price_and_the_later_one_of_a_trial(self, client, open_session):
        page = text(client.get(address(open_session(subscription_data={"trial_period_days": 14}))))
        assert "Subscribe and pay nothing today" in page
        assert f"Then €{NBSP}119.00 every year" in page

    def test_leads_back_without_paying(self, client, session):
        assert 'href="https://shop.example/back"' in text(client.get(address(session)))

    def test_has_no_inline_script_or_style(self, client, session):
        page = text(client.get(address(session)))
        assert "<script" not in page
        assert "<style" not in page
        assert "style=" not in page

    def test_names_the_code_that_a_demo_is_started_with_made_once(self, client, open_session):
        for _twice in range(2):
            call_command("local_stripe_boot", "--url=http://localhost/", "--secret=whsec_x", "--code=LAUREL10=10")

        offered = address(open_session(allow_promotion_codes=True))

        assert text(client.get(offered)).count("<code>LAUREL10</code>") == 1
        assert "LAUREL10" not in text(client.get(address(open_session())))
        assert "is applied" in text(client.post(offered, {"code": "laurel10", "apply": "1"}, follow=True))

    def test_is_never_kept_by_a_cache(self, client, session):
        assert "no-store" in client.get(address(session)).headers["Cache-Control"]

    def test_of_no_session_says_so(self, client, db):
        answer = client.get("/stripe/c/pay/cs_test_nothing")
        assert answer.status_code == 404
        assert "There is nothing here" in text(answer)


class TestPaying:
    def test_with_a_good_card_leads_to_the_success_page(self, client, session, state):
        answer = client.post(address(session), CARD)

        assert (answer.status_code, answer.url) == (302, f"https://shop.example/done?session_id={session.id}")
        assert state().payment_status == "paid"

    @pytest.mark.parametrize(
        ("number", "words"),
        [
            ("4000000000000002", "The bank declined the card."),
            ("4000000000009995", "The card has too little money on it."),
            ("4000000000000069", "The card has expired."),
            ("4000000000000127", "The security code is not right."),
            ("4000000000000119", "The bank could not work on it just now."),
            ("4000000000000341", "The bank declined the card."),
        ],
    )
    def test_with_a_declined_card_says_why_and_keeps_the_session_open(self, client, session, state, number, words):
        answer = client.post(address(session), card(number))

        assert answer.status_code == 200
        assert words in text(answer)
        assert "Nothing was charged." in text(answer)
        assert state().status == "open"

    def test_works_with_another_card_after_a_decline(self, client, session, api, ada):
        client.post(address(session), card("4000000000000002"))
        client.post(address(session), CARD)

        assert [charge.status for charge in api.charges.list({"customer": ada.id}).data] == ["succeeded", "failed"]
        assert len(api.payment_intents.list({"customer": ada.id}).data) == 1

    def test_with_a_press_of_a_test_card_fills_the_form_and_charges_nothing(self, client, session, state):
        answer = client.post(address(session), {"fill": "4000 0025 0000 3155", "name": "Ada"})

        assert 'value="4000 0025 0000 3155"' in text(answer)
        assert 'value="Ada"' in text(answer)
        assert state().status == "open"

    @pytest.mark.parametrize(
        ("field", "typed", "words"),
        [
            ("number", "1234", "Your card number is not complete or not valid."),
            ("number", "4111 1111 1111 1111", "Only test cards work here"),
            ("number", "", "Type the card number."),
            ("expiry", "13 / 34", "Type the expiry date as month and year"),
            ("expiry", "01 / 20", "Your card has expired."),
            ("cvc", "12", "The security code has three digits"),
            ("name", "", "Type the name on the card."),
        ],
    )
    def test_with_a_slip_says_where_and_keeps_the_rest(self, client, session, state, field, typed, words):
        answer = client.post(address(session), CARD | {field: typed})

        assert words in text(answer)
        assert f'id="id_{field}_error"' in text(answer)
        assert 'aria-invalid="true"' in text(answer)
        assert state().status == "open"

    def test_asks_for_the_e_mail_only_of_strangers(self, client, open_session, api):
        session = open_session(customer=None)
        assert "Type your e-mail address." in text(client.post(address(session), CARD))

        client.post(address(session), CARD | {"email": "new@example.com"})

        paid = api.checkout.sessions.retrieve(session.id, {"expand": ["customer"]})
        assert paid.customer.email == "new@example.com"

    def test_asks_for_the_terms_when_the_seller_does(self, client, open_session, api):
        session = open_session(
            consent_collection={"terms_of_service": "required"},
            custom_text={"terms_of_service_acceptance": {"message": "Our terms say so."}},
        )
        assert "Our terms say so." in text(client.get(address(session)))
        assert "Please agree to the terms first." in text(client.post(address(session), CARD))

        client.post(address(session), CARD | {"terms": "on"})

        assert api.checkout.sessions.retrieve(session.id).consent.terms_of_service == "accepted"


class TestPayingNothing:
    def test_asks_for_no_card_where_the_seller_wants_none(self, client, open_session, api):
        free = api.coupons.create({"percent_off": 100})
        session = open_session(discounts=[{"coupon": free.id}], payment_method_collection="if_required")
        assert "Card number" not in text(client.get(address(session)))

        client.post(address(session), {"pay": "1"})

        paid = api.checkout.sessions.retrieve(session.id, {"expand": ["subscription"]})
        assert paid.payment_status == "no_payment_required"
        assert (paid.subscription.status, paid.subscription.default_payment_method) == ("active", None)

    def test_refuses_a_card_that_its_bank_would_refuse_later(self, client, open_session):
        session = open_session(subscription_data={"trial_period_days": 14})
        assert "The bank declined the card." in text(client.post(address(session), card("4000000000000002")))


class TestConfirmingWithTheBank:
    @pytest.fixture
    def step(self, client, session):
        answer = client.post(address(session), card("4000002500003155"))
        assert answer.status_code == 302
        return answer.url

    def test_says_what_is_confirmed(self, client, step):
        assert f"€{NBSP}119.00" in text(client.get(step))

    def test_pays_when_completed(self, client, step, state):
        answer = client.post(step, {"complete": "1"})
        assert answer.url.startswith("https://shop.example/done")
        assert state().payment_status == "paid"

    def test_charges_nothing_when_it_fails(self, client, session, step, state, api):
        answer = client.post(step, {"fail": "1"}, follow=True)

        assert "Your bank could not confirm that it is you." in text(answer)
        assert state().status == "open"
        assert api.charges.list().data == []

    def test_can_be_followed_by_another_card(self, client, session, step, state):
        client.post(step, {"fail": "1"})
        client.post(address(session), CARD)
        assert state().payment_status == "paid"

    def test_can_end_in_a_decline(self, client, session):
        step = client.post(address(session), card("4000008260003178")).url
        assert "too little money" in text(client.post(step, {"complete": "1"}, follow=True))

    def test_sends_on_who_comes_back_later(self, client, step):
        client.post(step, {"complete": "1"})
        assert client.get(step).url.startswith("https://shop.example/done")
        assert client.post(step, {"complete": "1"}).url.startswith("https://shop.example/done")

    def test_happens_for_a_trial_too(self, client, open_session, api):
        session = open_session(subscription_data={"trial_period_days": 14})
        step = client.post(address(session), card("4000002500003155")).url
        client.post(step, {"complete": "1"})
        assert api.checkout.sessions.retrieve(session.id).status == "complete"


class TestALink:
    def test_used_twice_leads_to_the_success_page_and_charges_once(self, client, session, api):
        client.post(address(session), CARD)

        assert client.get(address(session)).url.startswith("https://shop.example/done")
        assert client.post(address(session), CARD).url.startswith("https://shop.example/done")
        assert len(api.charges.list().data) == 1

    def test_that_expired_says_so_and_leads_back(self, client, session, clock, state):
        clock.move(hours=25)

        answer = client.get(address(session))

        assert answer.status_code == 410
        assert "This payment page has expired" in text(answer)
        assert 'href="https://shop.example/back"' in text(answer)
        assert state().status == "expired"

    def test_that_expired_charges_nothing(self, client, session, clock, api):
        clock.move(hours=25)
        assert client.post(address(session), CARD).status_code == 410
        assert api.charges.list().data == []


@pytest.mark.django_db(transaction=True)
def test_two_tabs_paying_at_once_pay_once(session, api):
    answers, ready = [], threading.Barrier(2)

    def tab():
        browser = Client()
        ready.wait()
        answers.append(browser.post(address(session), CARD)["Location"])
        connections.close_all()

    tabs = [threading.Thread(target=tab) for _ in range(2)]
    for one in tabs:
        one.start()
    for one in tabs:
        one.join()

    assert answers == [f"https://shop.example/done?session_id={session.id}"] * 2
    assert len(api.charges.list().data) == 1
    assert Record.objects.filter(kind="subscription").count() == 1


def test_the_hosted_invoice_can_be_read(client, bought, api):
    url = "/stripe" + bought.invoice.hosted_invoice_url.split("/stripe", 1)[1]
    page = text(client.get(url))
    assert bought.invoice.number in page
    assert f"€{NBSP}119.00" in page


def test_a_one_time_price_asks_to_pay_only(client, open_session, api):
    gift = make_price(api, "Gift", 2500, interval=None)
    session = open_session(mode="payment", subscription_data=None, line_items=[{"price": gift.id, "quantity": 2}])
    assert f">Pay €{NBSP}50.00<" in text(client.get(address(session)))
