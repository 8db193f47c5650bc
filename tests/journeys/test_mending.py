"""A renewal fails, and its member mends it: in the portal, at a till, on Stripe's page, and in the portal again."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.person import Person
from tests.journeys.rig import Demo, running
from tests.journeys.test_time import move
from tests.journeys.walk import Shop

KEPT_AND_DECLINED, GOOD = "4000000000000341", "5555555555554444"


@pytest.fixture(scope="module")
def own(tmp_path_factory, lived):
    """A demo of its own, for its time is moved."""
    with running(tmp_path_factory.mktemp("mending") / "var", like=lived) as demo:
        yield demo


@pytest.fixture
def member(browser, own):
    """The silver persona at a browser."""
    person = Person(browser=browser, demo=own)
    person.log_in_as("silver")
    yield person
    person.close()
    assert person.violations == []


def give_card(page: Page, number: str) -> None:
    """From the mending page over Stripe's to whichever page it leads back to."""
    page.goto("/mend-payment/")
    page.get_by_role("button", name="Change card").click()
    page.wait_for_url("**/stripe/p/session/**")
    for name, value in {"number": number, "expiry": "12 / 49", "cvc": "123", "name": "B. de Wit"}.items():
        page.locator(f"[name={name}]").fill(value)
    page.get_by_role("button", name="Use this card").click()
    page.wait_for_url("**/mend-payment/")


def at_the_till(own: Demo) -> str:
    """The standing that a shop is told."""
    question = {"basket": {"currency": "EUR"}, "perks": ["free-shipping"]}
    asked = {**question, "member": {"number": own.persona("silver")["number"]}}
    answer = Shop(own.base_url, own.api_key).ask("/api/v1/perk-checks", asked)
    return str(answer["member"]["standing"])


def test_a_failed_renewal_is_mended_with_another_card(member, own):
    page = member.page
    page.goto("/mend-payment/")
    expect(page.locator("main")).to_contain_text("There is nothing to do")
    give_card(page, KEPT_AND_DECLINED)

    page.goto("/portal/")
    move(page, "To the next renewal")
    move(page, "+1 day")
    page.goto("/portal/")
    trouble = page.locator("main .notice.care")
    expect(trouble).to_contain_text("Your renewal payment was declined")
    expect(trouble).to_contain_text("0341")
    expect(trouble).to_contain_text("at the latest")
    assert at_the_till(own) == "grace"
    assert member.axe() == []
    member.picture("grace")

    page.get_by_role("link", name="Put the payment right").click()
    expect(page.get_by_role("link", name="Pay € 59 now")).to_be_visible()
    assert member.axe() == []
    member.picture("mend-payment")
    give_card(page, GOOD)
    expect(page.locator("body")).to_contain_text("Your renewal is paid")

    page.goto("/portal/")
    expect(page.locator("main")).to_contain_text("Your Silver membership is valid until")
    expect(page.locator("main .notice.care")).to_have_count(0)
    assert at_the_till(own) == "current"
