"""A price that changes in the programme is for those who join from then on: who holds one keeps it, and reads it."""

from __future__ import annotations

import html
import io

import pytest
from django.core.management import call_command

from billing import gateway, setup
from billing.models import StripePrice, Subscription
from membership import clock as product_clock
from membership.models import Price
from perks import programme
from tests.billing.conftest import come_back, go_to_pay, mails, pay

pytestmark = pytest.mark.django_db(transaction=True)


def words(answer) -> str:
    return html.unescape(answer.content.decode()).replace("\xa0", " ")


def sell_gold_for(amount: int) -> None:
    """The programme asks another price from now on, and Stripe knows it."""
    earlier = Price.objects.filter(plan__code="gold-year", currency="EUR", retired_at=None)
    plan = earlier.get().plan
    earlier.update(retired_at=product_clock.now())
    Price.objects.create(plan=plan, currency="EUR", amount=amount)
    list(setup.prepare(gateway.client()))


class TestWhoHoldsAnEarlierPrice:
    def test_reads_it_in_the_portal_on_the_cancel_page_and_in_letters(self, joined):
        sell_gold_for(12900)
        assert "Your next payment of € 119 is on 2 March 2027." in words(joined.get("/portal/"))
        assert "The payment of € 119 planned for 2 March 2027" in words(joined.get("/portal/cancel/"))
        joined.post("/portal/cancel/")
        joined.post("/portal/stay/")
        for kind in ("membership_canceled", "membership_stays"):
            [letter] = mails(kind)
            assert "€ 119.00" in letter.text.replace("\xa0", " ")

    def test_keeps_it_who_takes_a_planned_change_back(self, joined):
        sell_gold_for(12900)
        joined.post("/portal/change-plan/silver-year/")
        joined.post("/portal/change-plan/keep/")
        found = gateway.client().v1.subscriptions.retrieve(Subscription.objects.get().stripe_id)
        assert found.items.data[0].price.unit_amount == 11900

    def test_by_an_upgrade_keeps_that_one(self, visitor, clock):
        pay(go_to_pay(visitor, "silver-year"))
        come_back(visitor)
        clock.move(days=30)
        visitor.post(visitor.post("/portal/change-plan/gold-year/quote/")["Location"])
        sell_gold_for(12900)
        visitor.post("/portal/change-plan/bronze-year/")
        visitor.post("/portal/change-plan/keep/")
        found = gateway.client().v1.subscriptions.retrieve(Subscription.objects.get().stripe_id)
        assert found.items.data[0].price.unit_amount == 11900


class TestAProgrammeThatGoesBackToAnEarlierPrice:
    def test_asks_that_very_price_and_stripe_is_prepared_again(self, db, clock):
        told = programme.read("laurel")
        [gold] = [tier for tier in told.tiers if tier.code == "gold"]
        for amount in (11900, 12900, 11900):
            gold.plans[0].prices["EUR"] = amount
            programme.load(programme=told, at=clock.now)
            call_command("stripe_setup", stdout=io.StringIO())
        [live] = Price.objects.filter(plan__code=gold.plans[0].code, currency="EUR", retired_at=None)
        assert live.amount == 11900
        assert StripePrice.objects.filter(price__plan__code=gold.plans[0].code, price__currency="EUR").count() == 2
