"""Checkout Sessions through the API: what can be asked for, and until when."""

from __future__ import annotations

import pytest
import stripe

from tests.emulator.conftest import make_price


class TestCreating:
    def test_answers_with_a_page_of_its_own(self, open_session, settings):
        session = open_session()
        assert session.url == f"{settings.LOCAL_STRIPE['URL']}/c/pay/{session.id}"
        assert session.id.startswith("cs_test_")
        assert (session.status, session.payment_status, session.livemode) == ("open", "unpaid", False)
        assert session.expires_at - session.created == 24 * 3600

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"success_url": None}, "Missing required param: success_url"),
            ({"line_items": None}, "Missing required param: line_items"),
            ({"customer_email": "a@example.com"}, "only specify one of these parameters: customer, customer_email"),
            ({"allow_promotion_codes": True, "discounts": [{"coupon": "x"}]}, "allow_promotion_codes, discounts"),
            ({"mode": "payment", "subscription_data": None}, "You must use `subscription` mode"),
            ({"subscription_data": {"trial_period_days": 3, "trial_end": 1}}, "trial_end, trial_period_days"),
            ({"payment_intent_data": {"description": "x"}}, "You can not pass `payment_intent_data`"),
            ({"success_url": "/done"}, "Not a valid URL"),
            ({"cancel_url": "javascript:alert(1)"}, "Not a valid URL"),
            ({"billing_address_collection": "required"}, "The local Stripe does not support"),
            ({"customer": "cus_0"}, "No such customer: 'cus_0'"),
        ],
    )
    def test_with_what_does_not_go_together_is_refused(self, open_session, changes, words):
        with pytest.raises(stripe.InvalidRequestError, match=words):
            open_session(**changes)

    @pytest.mark.parametrize(
        ("seconds", "words"), [(29 * 60, "at least 30 minutes"), (25 * 3600, "less than 24 hours")]
    )
    def test_with_an_expiry_out_of_bounds_is_refused(self, open_session, clock, seconds, words):
        with pytest.raises(stripe.InvalidRequestError, match=words):
            open_session(expires_at=int(clock.now.timestamp()) + seconds)

    def test_with_a_trial_end_too_near_is_refused(self, open_session, clock):
        with pytest.raises(stripe.InvalidRequestError, match="at least 2 days"):
            open_session(subscription_data={"trial_end": int(clock.now.timestamp()) + 47 * 3600})

    def test_needs_a_recurring_price_for_a_subscription(self, open_session, api):
        once = make_price(api, "Pin", 500, interval=None)
        with pytest.raises(stripe.InvalidRequestError, match="at least one recurring price"):
            open_session(line_items=[{"price": once.id, "quantity": 1}])

    def test_says_nothing_to_the_world(self, open_session, seller):
        open_session()
        seller.driver.run()
        assert not [kind for kind in seller.types() if kind.startswith("checkout")]


class TestExpiring:
    def test_by_hand_closes_the_page(self, api, open_session, seller):
        closed = api.checkout.sessions.expire(open_session().id)
        assert (closed.status, closed.url) == ("expired", None)
        seller.driver.run()
        assert seller.types()[-1] == "checkout.session.expired"

    def test_comes_by_itself_and_is_told_once(self, api, open_session, seller, clock):
        session = open_session(expires_at=int(clock.now.timestamp()) + 1800)
        clock.move(minutes=31)
        for _ in range(2):
            assert api.checkout.sessions.retrieve(session.id).status == "expired"
        seller.driver.run()
        assert seller.types().count("checkout.session.expired") == 1

    def test_is_refused_once_paid(self, api, bought):
        with pytest.raises(stripe.InvalidRequestError, match="has a status of `complete`"):
            api.checkout.sessions.expire(bought.id)


def test_sessions_are_listed_by_customer_and_status(api, open_session, bought, ada):
    still_open = open_session()
    listed = api.checkout.sessions.list({"customer": ada.id, "status": "open"})
    assert [session.id for session in listed.data] == [still_open.id]
