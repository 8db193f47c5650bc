"""The member's own way to their money back: quote, fresh proof of who they are, confirmation, result."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from billing import gateway
from billing.emulator import faults
from billing.models import Payment, Refund
from membership.models import Membership
from membership.signals import membership_changed
from perks import keys, programme
from tests import factories
from tests.billing.conftest import mails
from tests.invariants import breached
from tests.perks.conftest import Shop, basket

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "correct horse battery"
CONFIRM = "/portal/refund/confirm/"


@pytest.fixture
def proven(joined):
    """Ada, who has just given her password once more."""
    answer = joined.get(CONFIRM)
    assert answer["Location"].startswith("/account/reauthenticate/")
    joined.post(answer["Location"], {"password": PASSWORD, "next": CONFIRM})
    return joined


@pytest.fixture
def till(joined, clock) -> Shop:
    """A shop's till. The perks of the demo's programme are sold, to Ada too."""
    programme.load(programme=programme.read("laurel"), at=clock.now)
    membership_changed.send(sender=Membership, membership=Membership.objects.with_facts().get(), at=clock.now)
    return Shop(Client(), keys.create(shop_name="Loden", scopes=list(keys.SCOPES), at=clock.now, actor="test"))


def text(answer) -> str:
    return re.sub(r"\s+", " ", answer.content.decode().replace("\xa0", " "))


def mark(client: Client) -> str:
    return re.search(r'name="quote" value="([^"]+)"', text(client.get(CONFIRM)))[1]


def at_stripe() -> list[int]:
    return [refund.amount for refund in gateway.client().v1.refunds.list({"limit": 10}).data]


class TestThePortal:
    def test_says_until_when_one_may_change_ones_mind(self, joined):
        page = text(joined.get("/portal/"))
        assert "Until 16 March 2026 you get your money back, all € 119 of it" in page

    def test_says_no_more_of_it_when_the_days_are_over(self, joined, clock):
        clock.move(days=15)
        assert "Change your mind?" not in text(joined.get("/portal/"))


class TestTheQuote:
    def test_shows_its_working_and_what_happens(self, joined):
        page = text(joined.get("/portal/refund/"))
        for words in (
            "Until 16 March 2026",
            "You paid",
            "€ 119.00",
            "Your membership ends at once",
            "no longer valid",
        ):
            assert words in page
        assert Membership.objects.get().status == "active"

    def test_of_the_house_counts_the_days(self, joined, clock):
        clock.move(days=91)
        page = text(joined.get("/portal/refund/"))
        assert "92 of 365 days have begun" in page
        assert "€ 89.00" in page

    def test_of_the_house_takes_off_what_the_perks_were_worth_less_what_came_back(self, joined, till, clock):
        number = {"number": Membership.objects.get().member.number}
        ordered = [till.check(member=number, basket=basket()) for _ in range(4)]
        paid = [till.commit(till.hold(check, "free-shipping", "standing-discount")) for check in ordered[:2]]
        till.hold(ordered[2], "free-shipping")  # and never paid
        in_dollars = till.check(member=number, basket=basket(currency="USD"))
        till.commit(till.hold(in_dollars, "free-shipping"))
        till.give_back(paid[0])
        clock.move(days=91)
        page = text(joined.get("/portal/refund/"))
        assert "What your perks were worth to you" in page
        assert "€ 11.40" in page  # 495 for delivery and 645 off the coat, of one order in euro
        assert "€ 77.60" in page

    def test_speaks_german(self, joined, ada):
        ada.user.language = "de"
        ada.user.save()
        page = text(joined.get("/portal/refund/"))
        assert "Vertrag widerrufen" in page[page.index("<main") : page.index("</main>")]  # the footer has it too

    def test_is_none_without_a_membership(self, visitor):
        assert "nothing to give back" in text(visitor.get("/portal/refund/"))
        assert visitor.get("/portal/refund/confirm/").status_code == 302


class TestConfirming:
    def test_asks_first_who_is_there(self, joined):
        assert joined.post(CONFIRM, {"quote": "anything"})["Location"].startswith("/account/reauthenticate/")
        assert at_stripe() == []

    def test_gives_the_money_back_and_says_so(self, proven):
        answer = proven.post(CONFIRM, {"quote": mark(proven)}, follow=True)
        assert "€ 119.00 goes back to the card you paid with" in text(answer)
        assert (at_stripe(), Membership.objects.get().end_reason) == ([11900], "refunded")
        assert len(mails("refund")) == 1
        assert breached() == set()

    def test_in_two_tabs_gives_it_back_once(self, proven):
        quote = mark(proven)
        pages = [proven.post(CONFIRM, {"quote": quote}, follow=True) for _ in range(2)]
        assert all("goes back to the card" in text(page) for page in pages)
        assert (at_stripe(), Refund.objects.count()) == ([11900], 1)

    def test_of_a_quote_that_has_changed_shows_the_new_one(self, proven):
        quote = mark(proven)
        Payment.objects.update(returned=2000)
        answer = proven.post(CONFIRM, {"quote": quote})
        assert answer.status_code == 409
        assert "The amount has changed meanwhile" in text(answer)
        assert "€ 99.00" in text(answer)
        assert at_stripe() == []

    def test_of_a_quote_of_yesterday_is_shown_again(self, proven, clock):
        clock.move(days=20)
        quote = mark(proven)
        clock.move(days=1)
        assert proven.post(CONFIRM, {"quote": quote}).status_code == 409

    def test_while_stripe_is_away_is_kept_and_said(self, proven):
        quote = mark(proven)
        with faults.next_call("POST /v1/refunds", lost="request", times=9):
            answer = proven.post(CONFIRM, {"quote": quote}, follow=True)
        assert "We have your decision" in text(answer)
        assert Refund.objects.get().state == "noted"
        assert "We have your decision" in text(proven.get("/portal/refund/", follow=True))


class TestTheResult:
    def test_is_for_its_member_alone(self, proven):
        proven.post(CONFIRM, {"quote": mark(proven)})
        path = f"/portal/refund/{Refund.objects.get().pk}/"
        other = Client()
        other.force_login(factories.member("Bob").user, "allauth.account.auth_backends.AuthenticationBackend")
        assert (other.get(path).status_code, proven.get(path).status_code) == (404, 200)

    def test_stands_on_the_invoices(self, proven):
        proven.post(CONFIRM, {"quote": mark(proven)})
        assert "€ 119.00 given back" in text(proven.get("/portal/invoices/"))
        invoice = Payment.objects.get().invoice_id
        assert "−€ 119.00" in text(proven.get(f"/portal/invoices/{invoice}/"))
