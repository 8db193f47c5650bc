"""The hosted Checkout page, used as a browser without JavaScript would."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.django_db(databases=["default", "local_stripe"])

CARD = {"number": "4242 4242 4242 4242", "expiry": "12 / 34", "cvc": "123", "name": "Ada Byron", "pay": "1"}


def address(session):
    return "/stripe" + session.url.split("/stripe", 1)[1]


@pytest.fixture
def session(open_session):
    return open_session()


class TestPaying:
    def test_the_page_says_what_is_bought_and_when_it_renews(self, client, session):
        page = client.get(address(session)).content.decode()

        assert "Gold membership" in page
        assert "Pay €\N{NO-BREAK SPACE}119.00 and subscribe" in page
        assert "every year" in page
        assert "ada@example.com" in page

    def test_a_good_card_leads_to_the_success_page(self, client, session, api):
        answer = client.post(address(session), CARD)

        assert answer.status_code == 302
        assert answer.url == f"https://shop.example/done?session_id={session.id}"
        assert api.checkout.sessions.retrieve(session.id).payment_status == "paid"
