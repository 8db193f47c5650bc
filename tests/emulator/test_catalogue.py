"""Products, prices, coupons and promotion codes."""

from __future__ import annotations

import pytest
import stripe

from tests.emulator.conftest import make_price


class TestAPrice:
    def test_is_found_by_its_lookup_key(self, api, gold):
        found = api.prices.list({"lookup_keys": ["gold-year-eur", "silver-year-eur"], "active": True})
        assert [price.id for price in found.data] == [gold.id]

    def test_keeps_its_lookup_key_to_itself(self, api, gold):
        with pytest.raises(stripe.InvalidRequestError, match="already uses that lookup key"):
            make_price(api, "Gold", 12900, lookup_key="gold-year-eur")

    def test_takes_over_a_lookup_key_when_told_to(self, api, gold):
        newer = make_price(api, "Gold", 12900, lookup_key="gold-year-eur", transfer_lookup_key=True)

        assert [price.id for price in api.prices.list({"lookup_keys": ["gold-year-eur"]}).data] == [newer.id]
        assert api.prices.retrieve(gold.id).lookup_key is None

    def test_may_be_paid_once(self, api):
        assert make_price(api, "Gift", 2500, interval=None).type == "one_time"

    def test_needs_a_product_that_exists(self, api):
        with pytest.raises(stripe.InvalidRequestError, match="No such product: 'prod_0'"):
            api.prices.create({"product": "prod_0", "currency": "eur", "unit_amount": 1})

    def test_needs_an_amount(self, api, gold):
        with pytest.raises(stripe.InvalidRequestError, match="Missing required param: unit_amount"):
            api.prices.create({"product": gold.product, "currency": "eur"})

    def test_can_be_archived_and_is_then_not_sold(self, api, gold, open_session):
        api.prices.update(gold.id, {"active": False})

        assert api.prices.list({"active": True}).data == []
        with pytest.raises(stripe.InvalidRequestError, match="The price specified is inactive"):
            open_session()


class TestAProduct:
    def test_may_have_an_id_of_our_own_once(self, api):
        api.products.create({"name": "Gold", "id": "tier_gold"})
        with pytest.raises(stripe.InvalidRequestError, match="already exists"):
            api.products.create({"name": "Gold", "id": "tier_gold"})

    def test_merges_metadata(self, api):
        product = api.products.create({"name": "Gold", "metadata": {"tier": "gold", "old": "1"}})
        changed = api.products.update(product.id, {"metadata": {"old": "", "new": "2"}})
        assert changed.metadata.to_dict() == {"tier": "gold", "new": "2"}

    def test_with_prices_is_not_deleted(self, api, gold):
        with pytest.raises(stripe.InvalidRequestError, match="one or more user-created prices"):
            api.products.delete(gold.product)

    def test_makes_its_default_price_on_the_way(self, api):
        product = api.products.create({"name": "Pin", "default_price_data": {"currency": "eur", "unit_amount": 500}})
        assert api.prices.retrieve(product.default_price).unit_amount == 500


class TestACoupon:
    @pytest.mark.parametrize(
        ("params", "words"),
        [
            ({}, "either percent_off or amount_off"),
            ({"percent_off": 120}, "Invalid percent_off"),
            ({"amount_off": 500}, "You must pass currency"),
            ({"percent_off": 10, "duration": "repeating"}, "duration_in_months"),
        ],
    )
    def test_that_makes_no_sense_is_refused(self, api, params, words):
        with pytest.raises(stripe.InvalidRequestError, match=words):
            api.coupons.create(params)

    def test_may_be_on_a_session_from_the_start(self, api, open_session):
        made = api.coupons.create({"amount_off": 2000, "currency": "eur"})
        session = open_session(discounts=[{"coupon": made.id}])
        assert (session.amount_total, session.discounts[0].coupon) == (9900, made.id)

    def test_in_another_currency_is_refused(self, api, open_session):
        made = api.coupons.create({"amount_off": 2000, "currency": "usd"})
        with pytest.raises(stripe.InvalidRequestError, match="currency"):
            open_session(discounts=[{"coupon": made.id}])

    def test_for_one_product_leaves_others_alone(self, api, gold, open_session):
        other = make_price(api, "Silver", 5900)
        made = api.coupons.create({"percent_off": 50, "applies_to": {"products": [other.product]}})
        assert open_session(discounts=[{"coupon": made.id}]).amount_total == 11900

    def test_says_what_it_applies_to_when_asked(self, api, gold):
        made = api.coupons.create({"percent_off": 50, "applies_to": {"products": [gold.product]}})
        assert "applies_to" not in made
        assert api.coupons.retrieve(made.id, {"expand": ["applies_to"]}).applies_to.products == [gold.product]

    def test_that_lasts_stays_on_the_subscription(self, api, open_session, pay):
        made = api.coupons.create({"percent_off": 50, "duration": "repeating", "duration_in_months": 24})
        session = open_session(discounts=[{"coupon": made.id}])
        pay(session)
        paid = api.checkout.sessions.retrieve(session.id, {"expand": ["subscription.discounts"]})
        discount = paid.subscription.discounts[0]
        assert discount.source.coupon == made.id
        assert discount.end > discount.start


class TestAPromotionCode:
    def test_is_found_by_what_people_type(self, api, coupon):
        code = coupon("WELCOME")
        assert [one.id for one in api.promotion_codes.list({"code": "welcome"}).data] == [code.id]

    def test_is_unique_while_active(self, api, coupon):
        first = coupon("WELCOME")
        with pytest.raises(stripe.InvalidRequestError, match="already exists"):
            coupon("WELCOME")
        api.promotion_codes.update(first.id, {"active": False})
        assert coupon("WELCOME").active
