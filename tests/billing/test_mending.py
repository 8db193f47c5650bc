"""The page that says what is wrong with a payment, and what mends it: paying, or another card. It is true at once."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.test import Client

from billing import gateway, new_card, operations
from billing.emulator import faults
from billing.models import Invoice, Operation, Subscription
from membership import standing
from membership.models import Membership
from tests.billing.conftest import DECLINED, FAILS, GOOD, renews_at
from tests.emulator import people
from tests.invariants import breached

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/mend-payment/"


def text(answer) -> str:
    return answer.content.decode().replace("\xa0", " ")


def card(number: str) -> dict[str, str]:
    return {"number": number, "expiry": "12 / 49", "cvc": "123", "name": "Ada Byron", "pay": "1"}


def the_standing(clock) -> str:
    return standing.at(Membership.objects.with_facts().get(), clock.now)


def give_card(visitor: Client, number: str):
    """Press "Change card", give one on Stripe's page, and come back to where it leads."""
    page = visitor.post("/mend-payment/card/")["Location"]
    stripe = Client()
    form = stripe.get(urlsplit(page).path, follow=True).request["PATH_INFO"]
    answer = stripe.post(form, card(number))
    if "/mend-payment/" not in answer.headers.get("Location", ""):
        return answer
    back = urlsplit(answer["Location"])
    return visitor.get(f"{back.path}?{back.query}", follow=True)


class TestThePage:
    def test_says_that_all_is_well(self, joined):
        assert "There is nothing to do" in text(joined.get(PAGE))

    def test_says_what_was_declined_and_when_it_is_tried_again(self, joined, fails):
        fails()
        page = text(joined.get(PAGE))
        assert "€ 119 was due on 2 March 2027. The card ending in" in page
        assert "We try again on 3 March 2027." in page
        assert "until 16 March 2027 at the latest" in page
        assert Invoice.objects.get(status="open").hosted_url in page
        assert "Pay € 119 now" in page

    def test_says_that_the_bank_wants_a_confirmation(self, joined, fails):
        fails(people.THREE_DS_ALWAYS)
        page = text(joined.get(PAGE))
        assert "Your bank asks you to confirm" in page
        assert "We try again" not in page

    def test_says_that_this_card_is_not_tried_again(self, joined, fails):
        fails(people.LOST)
        assert "we will not try this card again" in text(joined.get(PAGE))

    def test_says_that_there_is_no_card(self, joined, fails, ada):
        api = gateway.client().v1
        for method in api.payment_methods.list({"customer": ada.customer.stripe_id}).data:
            api.payment_methods.detach(method.id)
        fails()
        assert "there is no card with us" in text(joined.get(PAGE))

    def test_still_says_what_was_known_while_stripe_is_silent(self, joined, fails):
        fails()
        Invoice.objects.update(read_at=Invoice.objects.latest("pk").read_at - timedelta(minutes=1))
        with faults.next_call("GET /v1/subscriptions/{id}", lost="request", times=9):
            page = text(joined.get(PAGE))
        assert "does not answer right now" in page
        assert "was declined" in page

    def test_offers_nothing_to_pay_once_it_is_over(self, joined, fails, live):
        fails()
        live(renews_at() + timedelta(days=16))
        assert "no membership to pay for" in text(joined.get(PAGE))


class TestThePortal:
    def test_shows_the_trouble_and_the_way_to_mend_it(self, joined, fails, live):
        fails()
        live(renews_at() + timedelta(days=1))
        page = text(joined.get("/portal/"))
        assert "Your renewal payment was declined" in page
        assert 'href="/mend-payment/"' in page
        assert page.count('class="button"') == 1


class TestPayingNow:
    def test_on_the_hosted_page_is_known_when_the_page_is_looked_at_again(self, joined, fails, live, clock):
        fails()
        live(renews_at() + timedelta(days=1))
        hosted = urlsplit(Invoice.objects.get(status="open").hosted_url).path
        Client().post(hosted, card(GOOD))
        Invoice.objects.update(read_at=Invoice.objects.latest("pk").read_at - timedelta(minutes=1))
        assert "There is nothing to do" in text(joined.get(PAGE))
        assert the_standing(clock) == "current"
        assert breached() == set()


class TestAnotherCard:
    def test_pays_what_was_declined_for_good_at_once(self, joined, fails, live, clock):
        fails(people.LOST)
        live(renews_at() + timedelta(days=1))
        page = text(give_card(joined, GOOD))
        assert "Your renewal is paid" in page
        assert the_standing(clock) == "current"
        live(renews_at() + timedelta(days=20))
        assert breached() == set()

    def test_that_fails_as_well_is_asked_once_and_the_page_says_so(self, joined, fails):
        fails(people.LOST)
        page = text(give_card(joined, FAILS))
        assert "Your renewal payment was declined" in page
        joined.get(PAGE + "?back=card")
        assert Operation.objects.filter(kind="pay_invoice").count() == 1

    def test_that_is_refused_changes_nothing(self, joined, fails):
        fails(people.LOST)
        give_card(joined, DECLINED)
        assert "we will not try this card again" in text(joined.get(PAGE))

    def test_is_used_though_nobody_came_back(self, joined, fails, webhooks, clock):
        fails(people.LOST)
        page = joined.post("/mend-payment/card/")["Location"]
        stripe = Client()
        stripe.post(stripe.get(urlsplit(page).path, follow=True).request["PATH_INFO"], card(GOOD))
        webhooks()
        webhooks()
        assert not Invoice.objects.filter(status="open").exists()
        assert the_standing(clock) == "current"

    def test_thanks_also_whoever_comes_back_after_the_webhook(self, joined, fails, webhooks):
        fails(people.LOST)
        page = joined.post("/mend-payment/card/")["Location"]
        stripe = Client()
        stripe.post(stripe.get(urlsplit(page).path, follow=True).request["PATH_INFO"], card(GOOD))
        webhooks()
        assert not Invoice.objects.filter(status="open").exists()
        assert "Your renewal is paid" in text(joined.get(PAGE + "?back=card", follow=True))
        assert "Your renewal is paid" not in text(joined.get(PAGE))

    @pytest.mark.parametrize("answered", [True, False], ids=["answered", "lost"])
    def test_awaits_the_answer_where_the_webhook_is_asking_already(self, joined, fails, monkeypatch, answered):
        fails(people.LOST)
        asked: list[Operation] = []
        with monkeypatch.context() as webhook:  # it has noted what it asks, and has no answer yet
            webhook.setattr(new_card, "repeat", asked.append)
            give_card(joined, GOOD)
        assert Invoice.objects.filter(status="open").exists()
        monkeypatch.setattr(operations, "ANOTHER", 0.5)
        monkeypatch.setattr(operations, "sleep", lambda _: answered and new_card.repeat(asked[0]))
        assert "Your renewal is paid" in text(joined.get(PAGE + "?back=card", follow=True))
        assert Operation.objects.filter(kind="pay_invoice").count() == 1
        assert breached() == set()

    def test_of_the_customer_alone_becomes_the_subscriptions_too(self, joined, fails, ada):
        fails(people.LOST)
        api, customer = gateway.client().v1, ada.customer.stripe_id
        made = api.payment_methods.attach("pm_card_mastercard", {"customer": customer})
        api.customers.update(customer, {"invoice_settings": {"default_payment_method": made.id}})
        own = api.subscriptions.retrieve(Subscription.objects.get().stripe_id).default_payment_method
        older = api.payment_methods.retrieve(own).created
        assert own != made.id
        assert made.created >= older
        joined.get(PAGE + "?back=card")
        assert api.subscriptions.retrieve(Subscription.objects.get().stripe_id).default_payment_method == made.id
        assert Invoice.objects.filter(status="paid").count() == 2

    def test_of_somebody_else_is_out_of_reach(self, joined, fails, on_sale):
        fails()
        assert Client().post("/mend-payment/card/").status_code == 302
        assert not Operation.objects.filter(kind="card_page").exists()
