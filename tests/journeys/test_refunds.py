"""Money back: by the member within the cooling-off days, and by whoever presses the button in Stripe's dashboard."""

from __future__ import annotations

import json
import re
import time
import urllib.request

import pytest
from playwright.sync_api import expect

from tests.journeys.second_steps import prove_it_is_you
from tests.journeys.test_join import choose, expect_member, pay


@pytest.fixture
def joined(person):
    person.sign_up()
    pay(choose(person))
    expect_member(person)
    return person


class TestChangingOnesMind:
    def test_shows_the_working_asks_who_is_there_and_gives_the_money_back(self, joined):
        page = joined.page
        page.locator("main a[href='/portal/refund/']").click()
        expect(page.locator("main")).to_contain_text("You paid")
        expect(page.locator("main tfoot")).to_contain_text("119.00")
        joined.picture("refund-quote")
        page.locator("main a[href='/portal/refund/confirm/']").click()
        prove_it_is_you(joined)
        joined.picture("refund-confirm")

        joined.press(page.locator("main form", has=page.locator("[name=quote]")))

        page.wait_for_url(re.compile(r"/portal/refund/\d+/"))
        expect(page.locator("h1")).to_contain_text("Your money goes back to you")
        joined.picture("refund-made")
        page.goto("/portal/")
        expect(page.locator("main a[href$='/portal/card.pdf']")).to_have_count(0)
        joined.picture("portal-after-refund")
        page.goto("/portal/invoices/")
        expect(page.locator("main")).to_contain_text("119.00 given back")
        joined.picture("invoices-refunded")
        page.goto("/dev/mail/")
        expect(page.locator("#mailbox li", has_text=joined.email).filter(has_text="We give you back")).to_be_visible()
        assert joined.violations == []


class TestARefundInStripesDashboard:
    def in_the_dashboard(self, person, amount: str = "") -> None:
        """Find the newest payment and press its button, as somebody at the retailer would."""
        tab = person.new_tab()
        tab.goto(f"/stripe/dashboard/charges/{newest_charge(person.demo)}/")
        form = tab.locator("form", has=tab.locator("button[name=refund]"))
        form.locator("[name=amount]").fill(amount)
        form.locator("button[name=refund]").click()
        tab.wait_for_load_state()
        tab.close()

    def test_of_a_part_is_money_alone(self, joined):
        self.in_the_dashboard(joined, "19.00")

        expect_sooner_or_later(joined, "/portal/invoices/", "19.00 given back")
        joined.page.goto("/portal/")
        expect(joined.page.locator("main a[href$='/portal/card.pdf']").first).to_be_visible()

    def test_of_the_whole_ends_the_membership(self, joined):
        self.in_the_dashboard(joined)

        expect_sooner_or_later(joined, "/portal/invoices/", "119.00 given back")
        joined.page.goto("/portal/")
        expect(joined.page.locator("main a[href$='/portal/card.pdf']")).to_have_count(0)
        joined.page.goto("/dev/mail/")
        letters = joined.page.locator("#mailbox li", has_text=joined.email)
        expect(letters.filter(has_text="We give you back")).to_be_visible()


def newest_charge(demo) -> str:
    url = f"{demo.base_url}/stripe/v1/charges?limit=1"
    request = urllib.request.Request(url, headers={"Authorization": "Bearer sk_test_local"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(json.load(answer)["data"][0]["id"])


def expect_sooner_or_later(person, path: str, words: str) -> None:
    """What a webhook brings: the page is loaded anew until it shows."""
    for _ in range(20):
        person.page.goto(path)
        if words in person.page.locator("main").inner_text().replace("\xa0", " "):
            return
        time.sleep(1)
    expect(person.page.locator("main")).to_contain_text(words)
