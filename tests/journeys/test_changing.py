"""Changing one's mind about the tier: better at once for the amount on the quote, less at the next renewal."""

from __future__ import annotations

import json
import re
import urllib.request

import pytest
from playwright.sync_api import expect

from tests.journeys import walk
from tests.journeys.person import Person
from tests.journeys.test_join import at_stripe, choose, expect_member, pay


@pytest.fixture
def silver(person):
    """Somebody who has just joined silver."""
    person.sign_up()
    pay(choose(person, "silver-year"))
    expect_member(person, "Silver")
    return person


def ask_for_gold(person: Person) -> str:
    """From the portal to the quote. -> the amount on its button."""
    page = person.page
    page.goto("/portal/")
    page.locator("main a[href='/portal/change-plan/']").click()
    assert person.axe() == []
    person.picture("change-plan")
    person.press(page.locator("main form[action$='/gold-year/quote/']"))
    page.wait_for_url("**/portal/change-plan/quotes/*/")
    words = page.locator("main form button").last.inner_text()
    found = re.search(r"[\d.]+", words)
    assert found, words
    return found[0]


def tier_at_the_till(person: Person) -> str:
    """What a shop hears about the person's card this second."""
    url = walk.qr_code(person.context.request.get("/portal/card.pdf").body())
    answer = walk.Shop(person.demo.base_url, person.demo.api_key).ask("/api/v1/cards/verify", {"token": url})
    return str(answer["tier"])


class TestUpgrading:
    def test_charges_what_the_quote_says_and_holds_at_once(self, silver):
        amount = ask_for_gold(silver)
        page = silver.page
        expect(page.locator("main dl.facts").first).to_contain_text("119")  # what renews
        assert silver.axe() == []
        silver.picture("plan-quote")
        assert tier_at_the_till(silver) == "silver"

        silver.press(page.locator("main form"))

        expect_member(silver, "Gold")
        assert tier_at_the_till(silver) == "gold"
        page.goto("/portal/invoices/")
        expect(page.locator("main")).to_contain_text(amount)

    def test_with_a_card_that_is_declined_changes_nothing_and_shows_the_way_on(self, silver):
        ask_for_gold(silver)
        refuse_the_card(silver)

        silver.press(silver.page.locator("main form"))

        alert = silver.page.locator("main [role=alert]")
        expect(alert).to_contain_text("Nothing was charged")
        assert tier_at_the_till(silver) == "silver"
        alert.locator("a").click()
        expect(silver.page).to_have_url(re.compile("/mend-payment/"))


class TestLess:
    def test_at_the_renewal_is_said_everywhere_and_can_be_taken_back(self, silver):
        page = silver.page
        page.goto("/portal/change-plan/")
        page.locator("main a[href$='/bronze-year/']").click()
        assert silver.axe() == []
        silver.press(page.locator("main form"))

        page.wait_for_url("**/portal/")
        expect(page.locator("main")).to_contain_text("From then on you hold Bronze")
        assert tier_at_the_till(silver) == "silver"

        page.goto("/portal/change-plan/")
        silver.press(page.locator("main form[action$='/keep/']"))
        page.wait_for_url("**/portal/")
        expect(page.locator("main")).not_to_contain_text("Bronze")


def refuse_the_card(person: Person) -> None:
    """From now on the person's card is declined when it is charged."""
    customer = read(person, f"customers?email={person.email.replace('+', '%2B')}")["data"][0]["id"]
    subscription = read(person, f"subscriptions?customer={customer}")["data"][0]["id"]
    card = at_stripe(person.demo, "payment_methods/pm_card_chargeCustomerFail/attach", {"customer": customer})
    at_stripe(person.demo, f"subscriptions/{subscription}", {"default_payment_method": card["id"]})


def read(person: Person, what: str) -> dict[str, list[dict[str, str]]]:
    request = urllib.request.Request(
        f"{person.demo.base_url}/stripe/v1/{what}", headers={"Authorization": "Bearer sk_test_local"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)  # type: ignore[no-any-return]
