"""The customer portal: sessions through the API, pages used as a browser without JavaScript would."""

from __future__ import annotations

from billing.emulator import portal_sessions
from tests.emulator.pages import CARD, NBSP, at, cancel_page, card, text
from tests.emulator.test_facts import DOCS, SDK, fact, reopen

THREE_DS, DECLINED, FAILS_LATER = "4000002500003155", "4000000000000002", "4000000000000341"


# --- facts -----------------------------------------------------------------------------------------------------------


@fact(
    "Canceling in the portal sets `cancel_at` to the period's end, while `cancel_at_period_end` stays false.",
    DOCS,
)
def test_cancel_in_the_portal(client, enter, bought, subscription, seller):
    session = enter()
    client.post(cancel_page(session, bought), {"cancel": "1"})
    after = subscription()
    assert (after.status, after.cancel_at_period_end) == ("active", False)
    assert after.cancel_at == after.items.data[0].current_period_end
    assert after.cancellation_details.reason == "cancellation_requested"
    assert after.canceled_at
    seller.driver.run()
    assert seller.types()[-1] == "customer.subscription.updated"


@fact("A new card in the portal is told by ordinary events, from `setup_intent.created` on.", DOCS)
def test_events_of_a_new_card(client, enter, seller):
    client.post(at(enter(), "/card"), card("5555555555554444"))
    seller.driver.run()
    assert [kind for kind in seller.types() if not kind.startswith("billing_portal.configuration")] == [
        "billing_portal.session.created",
        "setup_intent.created",
        "setup_intent.succeeded",
        "payment_method.attached",
        "customer.updated",
        "customer.subscription.updated",
    ]


@fact("A portal session's address is short-lived.", SDK)
def test_short_lived(client, enter, clock):
    session = enter()
    clock.move(seconds=portal_sessions.UNOPENED)
    assert client.get(at(session)).status_code == 410


# --- the API ---------------------------------------------------------------------------------------------------------


# --- the pages -------------------------------------------------------------------------------------------------------


class TestTheFirstPage:
    def test_says_what_there_is_and_what_comes_next(self, client, enter, bought):
        page = text(client.get(at(enter())))
        assert "Gold membership" in page
        assert f"€{NBSP}119.00 every year" in page
        assert "Renews on 2 March 2027." in page
        assert "Visa •••• 4242" in page
        assert bought.invoice.hosted_invoice_url in page
        assert "https://shop.example/account" in page

    def test_offers_what_the_configuration_does(self, client, enter):
        off = {"enabled": False}
        session = enter({"invoice_history": off, "payment_method_update": off, "subscription_cancel": off})
        page = text(client.get(at(session)))
        assert "Renews on" in page
        for missing in ("Change the card", "Cancel the subscription", "Invoices"):
            assert missing not in page

    def test_leads_to_the_payment_of_what_is_owed(self, client, enter, bought):
        reopen(bought.invoice.id)
        assert f"Pay €{NBSP}119.00" in text(client.get(at(enter())))

    def test_works_with_no_subscription_at_all(self, client, api, enter):
        nobody = api.customers.create({"email": "bob@example.com"})
        page = text(client.get(at(enter(customer=nobody.id))))
        assert "You have no subscription at the moment." in page
        assert "There are no invoices yet." in page

    def test_speaks_the_customers_language(self, client, api, enter, bought):
        api.customers.update(bought.customer, {"preferred_locales": ["de-AT"]})
        assert "Verlängert sich am 2. März 2027." in text(client.get(at(enter())))

    def test_lives_an_hour_after_it_was_used(self, client, enter, clock):
        session = enter()
        for minutes in (4, 59, 59):
            clock.move(minutes=minutes)
            assert client.get(at(session)).status_code == 200
        clock.move(minutes=60)
        assert client.get(at(session)).status_code == 410

    def test_is_nobody_elses(self, client, enter):
        enter()
        assert client.get("/stripe/p/session/test_guess").status_code == 410


class TestAnotherCard:
    def test_is_used_from_now_on(self, client, enter, subscription, api, bought):
        answer = client.post(at(enter(), "/card"), card("5555555555554444"), follow=True)
        assert "The card was changed." in text(answer)
        method = subscription().default_payment_method
        assert (method.card.last4, method.customer) == ("4444", bought.customer)
        settings = api.customers.retrieve(bought.customer).invoice_settings
        assert settings.default_payment_method == method.id

    def test_that_is_declined_changes_nothing(self, client, enter, subscription):
        page = text(client.post(at(enter(), "/card"), card(DECLINED)))
        assert "The bank declined the card. It was not changed" in page
        assert subscription().default_payment_method.card.last4 == "4242"

    def test_may_be_one_that_fails_later(self, client, enter, subscription):
        client.post(at(enter(), "/card"), card(FAILS_LATER))
        assert subscription().default_payment_method.card.last4 == "0341"

    def test_is_confirmed_with_the_bank(self, client, enter, subscription):
        step = client.post(at(enter(), "/card"), card(THREE_DS)).url
        assert "whether this is your card" in text(client.get(step))
        assert subscription().default_payment_method.card.last4 == "4242"
        assert "The card was changed." in text(client.post(step, {"complete": "1"}, follow=True))
        assert subscription().default_payment_method.card.last4 == "3155"
        assert client.get(step).status_code == 302

    def test_is_not_kept_when_the_bank_is_not_satisfied(self, client, enter, subscription):
        step = client.post(at(enter(), "/card"), card(THREE_DS)).url
        assert "could not confirm that it is you" in text(client.post(step, {"fail": "1"}, follow=True))
        assert subscription().default_payment_method.card.last4 == "4242"

    def test_can_be_filled_in(self, client, enter):
        assert 'value="4000 0000 0000 0341"' in text(client.post(at(enter(), "/card"), {"fill": "4000 0000 0000 0341"}))

    def test_is_checked_first(self, client, enter):
        assert "Type the security code." in text(client.post(at(enter(), "/card"), CARD | {"cvc": ""}))

    def test_is_not_offered_when_switched_off(self, client, enter):
        session = enter({"payment_method_update": {"enabled": False}})
        assert client.get(at(session, "/card")).status_code == 404


class TestCanceling:
    def test_says_first_what_it_means(self, client, enter, bought, subscription):
        page = text(client.get(cancel_page(enter(), bought)))
        assert "It stays until 2 March 2027. After that it ends, and nothing more will be charged." in page
        assert "It is too expensive" in page
        assert subscription().cancel_at is None

    def test_keeps_the_reason(self, client, enter, bought, subscription):
        client.post(cancel_page(enter(), bought), {"feedback": "too_expensive", "cancel": "1"})
        assert subscription().cancellation_details.feedback == "too_expensive"

    def test_can_be_taken_back(self, client, enter, bought, subscription):
        session = enter()
        page = text(client.post(cancel_page(session, bought), {"cancel": "1"}, follow=True))
        assert "Ends on 2 March 2027. Nothing more will be charged." in page
        page = text(client.post(at(session), {"resume": bought.subscription.id}, follow=True))
        assert "It goes on as before." in page
        after = subscription()
        assert (after.cancel_at, after.canceled_at, after.cancellation_details.reason) == (None, None, None)

    def test_ends_at_once_where_the_configuration_says_so(self, client, enter, bought, subscription):
        session = enter({"subscription_cancel": {"enabled": True, "mode": "immediately"}})
        assert "It ends at once" in text(client.get(cancel_page(session, bought)))
        client.post(cancel_page(session, bought), {"cancel": "1"})
        assert subscription().status == "canceled"

    def test_twice_is_once(self, client, enter, bought, seller):
        session = enter()
        for _ in range(2):
            client.post(cancel_page(session, bought), {"cancel": "1"})
        seller.driver.run()
        assert seller.types().count("customer.subscription.updated") == 1

    def test_is_for_ones_own_only(self, client, api, enter, bought, subscription):
        other = api.customers.create({"email": "bob@example.com"})
        session = enter(customer=other.id)
        assert client.post(cancel_page(session, bought), {"cancel": "1"}).status_code == 404
        client.post(at(session), {"resume": bought.subscription.id})
        assert subscription().cancel_at is None

    def test_is_not_offered_when_switched_off(self, client, enter, bought, subscription):
        session = enter({"subscription_cancel": {"enabled": False}})
        assert client.post(cancel_page(session, bought), {"cancel": "1"}).status_code == 404
        assert subscription().cancel_at is None


def test_a_customer_on_a_test_clock_acts_at_its_time(client, api, gold, configured):
    configured()
    clock = api.test_helpers.test_clocks.create({"frozen_time": 1_900_000_000})
    customer = api.customers.create({"email": "cleo@example.com", "test_clock": clock.id})
    method = api.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    asked = {"customer": customer.id, "items": [{"price": gold.id}], "default_payment_method": method.id}
    subscription = api.subscriptions.create(asked)
    session = api.billing_portal.sessions.create({"customer": customer.id})
    client.post(at(session, f"/cancel/{subscription.id}"), {"cancel": "1"})
    assert api.subscriptions.retrieve(subscription.id).canceled_at == 1_900_000_000
