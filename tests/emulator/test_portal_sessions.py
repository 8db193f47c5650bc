"""Sessions of the customer portal through the API, and the flows that lead straight to one of its pages."""

from __future__ import annotations

import pytest
import stripe

from tests.emulator.pages import CARD, at, cancel_page, card, text

THREE_DS = "4000002500003155"


class TestMakingASession:
    def test_uses_the_default_configuration(self, enter, api):
        session = enter()
        assert session.configuration == api.billing_portal.configurations.list().data[0].id
        assert (session.return_url, session.flow) == ("https://shop.example/account", None)

    def test_is_refused_without_any(self, api, ada):
        with pytest.raises(stripe.InvalidRequestError, match="No configuration provided"):
            api.billing_portal.sessions.create({"customer": ada.id})

    def test_needs_a_customer(self, api, configured):
        configured()
        with pytest.raises(stripe.InvalidRequestError, match="customer"):
            api.billing_portal.sessions.create({})

    def test_refuses_a_flow_whose_feature_is_off(self, enter):
        with pytest.raises(stripe.InvalidRequestError, match="disabled"):
            enter({"payment_method_update": {"enabled": False}}, flow_data={"type": "payment_method_update"})

    def test_refuses_a_flow_it_does_not_have(self, enter):
        with pytest.raises(stripe.InvalidRequestError, match="does not support"):
            enter(flow_data={"type": "customer_update"})

    def test_refuses_to_cancel_what_belongs_to_another(self, api, enter, bought):
        other = api.customers.create({"email": "bob@example.com"})
        flow = {"type": "subscription_cancel", "subscription_cancel": {"subscription": bought.subscription.id}}
        with pytest.raises(stripe.InvalidRequestError, match="does not belong"):
            enter(customer=other.id, flow_data=flow)

    def test_refuses_to_cancel_what_is_canceled(self, api, enter, bought):
        api.subscriptions.update(bought.subscription.id, {"cancel_at_period_end": True})
        flow = {"type": "subscription_cancel", "subscription_cancel": {"subscription": bought.subscription.id}}
        with pytest.raises(stripe.InvalidRequestError, match="canceled already"):
            enter(flow_data=flow)


class TestAFlow:
    def test_leads_straight_to_the_card_and_to_the_first_page_afterwards(self, client, enter):
        session = enter(flow_data={"type": "payment_method_update"})
        page = client.get(at(session))
        assert page.url == at(session, "/card")
        assert "https://shop.example/account" in text(client.get(page.url))
        done = client.post(page.url, CARD, follow=True)
        assert "The card was changed." in text(done)
        assert "Renews on" in text(done)

    def test_leads_back_to_the_shop_when_told_to(self, client, enter):
        afterwards = {"type": "redirect", "redirect": {"return_url": "https://shop.example/thanks"}}
        session = enter(flow_data={"type": "payment_method_update", "after_completion": afterwards})
        step = client.post(at(session, "/card"), card(THREE_DS)).url
        assert client.post(step, {"complete": "1"}).url == "https://shop.example/thanks"

    def test_confirms_a_cancellation_when_told_to(self, client, enter, bought, subscription):
        afterwards = {"type": "hosted_confirmation", "hosted_confirmation": {"custom_message": "We will miss you."}}
        asked = {"subscription": bought.subscription.id}
        flow = {"type": "subscription_cancel", "subscription_cancel": asked, "after_completion": afterwards}
        session = enter(flow_data=flow)
        assert client.get(at(session)).url == cancel_page(session, bought)
        page = text(client.post(cancel_page(session, bought), {"cancel": "1"}))
        assert "It is canceled." in page
        assert "We will miss you." in page
        assert subscription().cancel_at
