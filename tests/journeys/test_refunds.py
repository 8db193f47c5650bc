"""Money back: by the member within the cooling-off days, and by whoever presses the button in Stripe's dashboard."""

from __future__ import annotations

import re

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
        expect(page.locator("#mailbox li", has_text=joined.email).first).to_contain_text("We give you back")
        assert joined.violations == []


class TestARefundInStripesDashboard:
    def test_of_the_whole_ends_the_membership(self, joined, demo):
        charge = newest_charge(demo)
        page = joined.new_tab()
        refund_in_the_dashboard(page, charge)

        joined.page.goto("/portal/")
        expect(async_reload(joined.page, "a[href$='/portal/card.pdf']")).to_have_count(0)
        joined.page.goto("/portal/invoices/")
        expect(joined.page.locator("main")).to_contain_text("119.00 given back")
