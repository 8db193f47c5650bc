"""The dashboard: lists, single objects, and what can be done to them by hand."""

from __future__ import annotations

import pytest

from billing.emulator import dashboard, dashboard_pages, delivery, disputes
from billing.emulator.models import Delivery
from tests.emulator.pages import NBSP, text

SLUGS = [*dashboard.SUBJECTS, "deliveries", "clocks"]


@pytest.fixture
def charge(api, bought):
    return lambda: api.charges.list({"limit": 1}).data[0]


def page_of(charge):
    return f"/stripe/dashboard/charges/{charge.id}/"


class TestLists:
    @pytest.mark.parametrize("slug", SLUGS)
    def test_show_what_there_is(self, client, api, bought, charge, seller, slug):
        api.refunds.create({"charge": charge().id, "amount": 100})
        disputes.open_on(charge().id)
        answer = client.get(f"/stripe/dashboard/{slug}/")
        assert answer.status_code == 200
        assert "<td" in text(answer) or slug == "clocks"

    @pytest.mark.parametrize("slug", SLUGS)
    def test_say_so_when_there_is_nothing(self, client, api, slug):
        assert client.get(f"/stripe/dashboard/{slug}/").status_code == 200

    def test_are_newest_first_and_go_on(self, client, api):
        for number in range(dashboard_pages.ROWS + 1):
            api.customers.create({"email": f"customer-{number}@example.com"})
        first = text(client.get("/stripe/dashboard/customers/"))
        assert f"customer-{dashboard_pages.ROWS}@" in first
        assert "customer-0@" not in first
        before = first.split("?before=")[1].split('"')[0]
        second = text(client.get(f"/stripe/dashboard/customers/?before={before}"))
        assert "customer-0@" in second
        assert "Older" not in second

    def test_speak_german(self, client, bought):
        page = text(client.get("/stripe/dashboard/charges/", headers={"accept-language": "de"}))
        assert "Zahlungen" in page
        assert f"119,00{NBSP}€" in page

    def test_of_something_else_are_nothing(self, client, api):
        assert client.get("/stripe/dashboard/wishes/").status_code == 404

    def test_say_what_is_disputed_or_refunded(self, client, charge):
        disputes.open_on(charge().id)
        assert "disputed" in text(client.get("/stripe/dashboard/charges/"))


class TestTheOverview:
    def test_counts(self, client, bought):
        page = text(client.get("/stripe/dashboard/"))
        assert "Subscriptions" in page
        assert "<dd>1</dd>" in page

    @pytest.mark.parametrize("asked", ["id", "email", "number"])
    def test_finds(self, client, bought, asked):
        known = {"id": bought.subscription.id, "email": "ADA@example.com", "number": bought.invoice.number}
        leads_to = {"id": bought.subscription.id, "email": bought.customer, "number": bought.invoice.id}
        assert leads_to[asked] in client.get("/stripe/dashboard/find", {"q": known[asked]}).url

    def test_says_when_there_is_nothing_like_that(self, client, bought):
        page = text(client.get("/stripe/dashboard/find", {"q": "cus_none"}, follow=True))
        assert "There is nothing like that." in page


class TestAnObject:
    def test_shows_what_belongs_to_it(self, client, bought, charge):
        page = text(client.get(f"/stripe/dashboard/customers/{bought.customer}/"))
        for one in (bought.subscription.id, bought.invoice.id, charge().id):
            assert one in page
        assert "customer.updated" in page

    def test_leads_to_the_page_the_customer_sees(self, client, bought):
        page = text(client.get(f"/stripe/dashboard/invoices/{bought.invoice.id}/"))
        assert bought.invoice.hosted_invoice_url in page

    def test_shows_itself_as_the_api_does(self, client, bought):
        page = text(client.get(f"/stripe/dashboard/subscriptions/{bought.subscription.id}/"))
        assert "billing_cycle_anchor" in page

    def test_is_nothing_when_unknown(self, client, api, bought):
        assert client.get("/stripe/dashboard/charges/ch_none/").status_code == 404
        assert client.get(f"/stripe/dashboard/charges/{bought.customer}/").status_code == 404

    def test_does_nothing_it_has_no_button_for(self, client, bought):
        address = f"/stripe/dashboard/customers/{bought.customer}/"
        assert client.post(address, {"refund": "1"}).status_code == 404


class TestRefunding:
    def test_sends_all_of_it_back(self, client, charge, seller):
        answer = client.post(page_of(charge()), {"refund": "1", "amount": ""}, follow=True)
        assert "The money is on its way back." in text(answer)
        assert (charge().refunded, charge().amount_refunded) == (True, 11900)
        seller.driver.run()
        assert "charge.refunded" in seller.types()

    @pytest.mark.parametrize("typed", ["19.00", "19,00", "19"])
    def test_sends_a_sum_back(self, client, charge, typed):
        client.post(page_of(charge()), {"refund": "1", "amount": typed})
        assert charge().amount_refunded == 1900

    @pytest.mark.parametrize("typed", ["much", "1.005", "NaN", "1e999"])
    def test_refuses_what_is_no_sum(self, client, charge, typed):
        page = text(client.post(page_of(charge()), {"refund": "1", "amount": typed}))
        assert "Type a sum such as 19.00" in page
        assert f'value="{typed}"' in page
        assert charge().amount_refunded == 0

    def test_refuses_more_than_is_left(self, client, charge):
        page = text(client.post(page_of(charge()), {"refund": "1", "amount": "200"}))
        assert "Refund amount (€200.00) is greater than unrefunded amount on charge (€119.00)" in page

    def test_is_not_offered_when_all_is_back(self, client, charge):
        client.post(page_of(charge()), {"refund": "1"})
        assert 'name="refund"' not in text(client.get(page_of(charge())))

    def test_leaves_invoice_and_subscription_alone(self, client, charge, api, bought):
        client.post(page_of(charge()), {"refund": "1"})
        assert api.invoices.retrieve(bought.invoice.id).status == "paid"
        assert api.subscriptions.retrieve(bought.subscription.id).status == "active"


class TestDisputing:
    @pytest.fixture
    def dispute(self, client, api, charge):
        client.post(page_of(charge()), {"dispute": "1", "reason": "product_not_received"})
        return lambda: api.disputes.list({"charge": charge().id}).data[0]

    def test_opens_one_for_this_reason(self, dispute):
        assert (dispute().status, dispute().reason) == ("needs_response", "product_not_received")

    @pytest.mark.parametrize(("button", "status"), [("win", "won"), ("lose", "lost")])
    def test_ends_it(self, client, dispute, button, status):
        address = f"/stripe/dashboard/disputes/{dispute().id}/"
        assert f'name="{button}"' in text(client.get(address))
        client.post(address, {button: "1"})
        assert dispute().status == status
        assert f'name="{button}"' not in text(client.get(address))

    def test_is_said_when_it_has_ended(self, client, dispute):
        address = f"/stripe/dashboard/disputes/{dispute().id}/"
        client.post(address, {"win": "1"})
        assert "This dispute is already closed" in text(client.post(address, {"lose": "1"}))

    def test_is_not_offered_twice(self, client, charge, dispute):
        assert 'name="dispute"' not in text(client.get(page_of(charge())))


class TestResending:
    def test_has_the_event_told_again(self, client, api, seller):
        api.customers.create({})
        seller.driver.run()
        row = Delivery.objects.get()
        answer = client.post(f"/stripe/dashboard/deliveries/{row.pk}/resend", follow=True)
        assert "The event is being sent again." in text(answer)
        delivery.deliver_due(seller.receive)
        assert seller.types() == ["customer.created", "customer.created"]

    def test_is_a_post(self, client, api):
        assert client.get("/stripe/dashboard/deliveries/1/resend").status_code == 405
        assert client.post("/stripe/dashboard/deliveries/1/resend").status_code == 404


def test_the_clocks_tell_what_happens_next(client, bought, clock):
    page = text(client.get("/stripe/dashboard/clocks/"))
    assert "2 March 2026, 10:00 UTC" in page
    assert bought.subscription.id in page
