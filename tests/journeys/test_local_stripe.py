"""The local Stripe's own pages in a browser: an open invoice, the billing portal, the dashboard."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.looks import Inspector
from tests.journeys.rig import Demo

FEATURES = ("invoice_history", "payment_method_update", "subscription_cancel")


def ask(demo: Demo, what: str, values: dict[str, str] | None = None) -> dict[str, Any]:
    """A call to the local Stripe's API, from another process as it were."""
    body = urllib.parse.urlencode(values).encode() if values else None
    url = f"{demo.base_url}/stripe/v1/{what}"
    request = urllib.request.Request(url, body, {"Authorization": "Bearer sk_test_local"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)  # type: ignore[no-any-return]


class Customer:
    """Somebody with a subscription at the local Stripe alone: the product has nothing to do with it."""

    def __init__(self, demo: Demo, card: str = "pm_card_visa") -> None:
        self.demo = demo
        self.id = ask(demo, "customers", {"email": "walker@example.com", "name": "Wilma Walker"})["id"]
        method = ask(demo, f"payment_methods/{card}/attach", {"customer": self.id})["id"]
        product = ask(demo, "products", {"name": "Window cleaning"})["id"]
        terms = {"currency": "eur", "unit_amount": "4200", "recurring[interval]": "year", "product": product}
        asked = {"customer": self.id, "items[0][price]": ask(demo, "prices", terms)["id"]}
        self.subscription_id = ask(demo, "subscriptions", asked | {"default_payment_method": method})["id"]

    def subscription(self, *expand: str) -> dict[str, Any]:
        query = urllib.parse.urlencode([("expand[]", one) for one in expand])
        return ask(self.demo, f"subscriptions/{self.subscription_id}?{query}")

    def portal(self) -> str:
        features = {f"features[{name}][enabled]": "true" for name in FEATURES}
        configuration = ask(self.demo, "billing_portal/configurations", features)["id"]
        asked = {"customer": self.id, "configuration": configuration, "return_url": f"{self.demo.base_url}/plans/"}
        return str(ask(self.demo, "billing_portal/sessions", asked)["url"])


@pytest.fixture
def page(person):
    return person.page


def fill_in(page: Page, number: str) -> None:
    """Press a test card of the helper, then the button."""
    page.get_by_role("button", name=number).click()
    expect(page.locator("[name=number]")).to_have_value(number)
    page.locator("form#pay button.primary").click()


def no_trouble(person, *addresses: str) -> None:
    """Each of these pages is one that the inspector of every page has nothing to say about."""
    with Inspector("visitor", person) as inspector:
        assert [line for address in addresses for line in inspector.look(address).told()] == []


def test_an_open_invoice_is_paid_with_another_card(demo, person, page):
    customer = Customer(demo, "pm_card_chargeCustomerFail")
    invoice = customer.subscription("latest_invoice")["latest_invoice"]
    no_trouble(person, invoice["hosted_invoice_url"])

    page.goto(invoice["hosted_invoice_url"])
    fill_in(page, "4000 0000 0000 9995")
    expect(page.get_by_role("alert")).to_contain_text("too little money")
    fill_in(page, "4000 0025 0000 3155")
    page.wait_for_url("**/stripe/3ds/**")
    page.get_by_role("button", name="Complete").click()

    expect(page.get_by_role("status")).to_contain_text("it is paid")
    expect(page.locator("main")).to_contain_text("Visa •••• 3155")
    after = customer.subscription("default_payment_method")
    assert (after["status"], after["default_payment_method"]["card"]["last4"]) == ("active", "3155")
    no_trouble(person, invoice["hosted_invoice_url"])


def test_the_portal_changes_the_card_cancels_and_takes_it_back(demo, person, page):
    customer = Customer(demo)
    portal = customer.portal()
    no_trouble(person, portal, f"{portal}/card", f"{portal}/cancel/{customer.subscription_id}")

    page.goto(portal)
    page.get_by_role("link", name="Change the card").click()
    fill_in(page, "4000 0025 0000 3155")
    page.get_by_role("button", name="Complete").click()
    expect(page.get_by_role("status")).to_contain_text("The card was changed.")

    page.get_by_role("link", name="Cancel the subscription").click()
    page.get_by_role("button", name="Cancel the subscription").click()
    expect(page.locator("main")).to_contain_text("Nothing more will be charged.")
    canceled = customer.subscription()
    assert (canceled["status"], canceled["cancel_at_period_end"]) == ("active", False)
    assert canceled["cancel_at"] == canceled["items"]["data"][0]["current_period_end"]

    page.get_by_role("button", name="Keep the subscription").click()
    expect(page.locator("main")).to_contain_text("Renews on")
    assert customer.subscription("default_payment_method")["default_payment_method"]["card"]["last4"] == "3155"
    page.get_by_role("link", name="Back").click()
    page.wait_for_url("**/plans/")


def test_the_dashboard_refunds_and_settles_a_dispute(demo, person, page):
    customer = Customer(demo)
    charge = ask(demo, f"charges?customer={customer.id}")["data"][0]
    address = f"{demo.base_url}/stripe/dashboard/charges/{charge['id']}/"
    no_trouble(person, address, *(f"{demo.base_url}/stripe/dashboard/{slug}/" for slug in ("events", "deliveries")))

    page.goto("/stripe/dashboard/")
    page.get_by_label("Find by id").fill(charge["id"])
    page.keyboard.press("Enter")
    page.get_by_label("Send back").fill("12,50")
    page.get_by_role("button", name="Refund").click()
    expect(page.get_by_role("status")).to_contain_text("on its way back")
    expect(page.locator("main")).to_contain_text("partially refunded")

    page.get_by_role("button", name="Dispute").click()
    expect(page.locator("main")).to_contain_text("disputed")
    page.get_by_role("region", name="Disputes").get_by_role("link").first.click()
    page.get_by_role("button", name="For the seller").click()
    expect(page.get_by_role("status")).to_contain_text("The seller won.")
    dispute = ask(demo, f"disputes?charge={charge['id']}")["data"][0]
    assert (dispute["status"], dispute["amount"]) == ("won", 4200 - 1250)
    no_trouble(person, f"{demo.base_url}/stripe/dashboard/disputes/{dispute['id']}/")
