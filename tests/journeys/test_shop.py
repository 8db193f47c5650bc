"""The demo's shop in a browser: gold, silver and a guest through a sale's opening, a service used up, a return, and the
savings statement that adds up to what the shop was told.

Time is moved and perks are used up, so the demo is one of its own; the tests follow each other in it.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.person import Person
from tests.journeys.rig import running
from tests.journeys.test_time import move

SALE = ("KNIT-7", "PACK-3", "WOOL-5")
MOST_TABS = 120


@pytest.fixture(scope="module")
def own(tmp_path_factory, lived):
    with running(tmp_path_factory.mktemp("shop") / "var", like=lived) as demo:
        yield demo


@pytest.fixture
def shopper(browser, own):
    """A visitor of the shop, not logged in anywhere: the shop goes by the number they tell."""
    person = Person(browser=browser, demo=own)
    yield person
    violations = person.violations
    person.close()
    assert violations == []


def shops_as(person: Person, persona: str) -> Page:
    page = person.page
    page.goto("/demo/shop/")
    number = person.demo.persona(persona)["number"] if persona else ""
    page.locator(".shop-who [name=persona]").select_option(number)
    person.press(page.locator(".shop-who"))
    return page


def takes(person: Person, *skus: str) -> None:
    for sku in skus:
        person.press(person.page.locator(f"[data-sku={sku}] form"))
    person.page.goto("/demo/shop/basket/")


def orders(person: Person) -> None:
    person.page.locator("[name=pay]").click()
    person.page.wait_for_url("**/demo/shop/orders/*/")


def sold(page: Page) -> set[str]:
    """What a button of the shelf puts into the basket."""
    return set(page.locator(".good form [name=sku]").evaluate_all("found => found.map(one => one.value)"))


def amount(text: str) -> int:
    """Cents of "€ 1,178.60"."""
    return int(re.sub(r"\D", "", text))


def tab_to(page: Page, selector: str) -> None:
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if page.evaluate("css => document.activeElement.matches(css)", selector):
            return
    raise AssertionError(f"{selector} cannot be reached by the keyboard")


def test_before_its_opening_a_sale_is_gold_s_alone(shopper):
    page = shops_as(shopper, "gold")
    expect(page.locator(".shop-sale")).to_contain_text("Open for you since")
    assert set(SALE) <= sold(page)
    assert shopper.axe() == []
    shopper.picture("shop-gold")

    shops_as(shopper, "silver")
    expect(page.locator(".shop-sale")).to_contain_text("Opens for you on")
    assert not set(SALE) & sold(page)
    shops_as(shopper, "")
    expect(page.locator(".shop-sale")).to_contain_text("Opens on")
    assert not set(SALE) & sold(page)
    assert shopper.axe() == []
    shopper.picture("shop-guest")


def test_the_till_asks_again_who_stands_there_and_what_is_shown_is_what_was_asked(shopper):
    page = shops_as(shopper, "gold")
    takes(shopper, "COAT-9", "KNIT-7")
    expect(page.locator(".payable")).to_have_text("€\u00a0178.60")
    expect(page.locator(".shop-calls")).to_contain_text("POST /api/v1/perk-checks")
    expect(page.locator(".shop-calls pre").first).to_contain_text('"sku": "KNIT-7"')
    assert shopper.axe() == []
    shopper.picture("shop-basket-gold")

    page.locator(".shop-who [name=persona]").select_option(shopper.demo.persona("silver")["number"])
    shopper.press(page.locator(".shop-who"))
    expect(page.locator(".shop-till .notice.care")).to_contain_text("this sale opens for you on")
    expect(page.locator(".payable")).to_have_text("€\u00a0129.00")
    page.locator(".shop-who [name=persona]").select_option("")
    shopper.press(page.locator(".shop-who"))
    expect(page.locator(".shop-till")).to_contain_text("A Gold member would pay €\u00a011.40 less")


def test_an_order_is_placed_by_the_keyboard_alone(shopper):
    page = shops_as(shopper, "gold")
    tab_to(page, "[data-sku=SCARF-2] button")
    page.keyboard.press("Enter")
    expect(page.locator(".messages")).to_contain_text("Silk scarf: in your basket.")
    tab_to(page, ".shop-basket-link a")
    page.keyboard.press("Enter")
    page.wait_for_url("**/demo/shop/basket/")
    tab_to(page, "[name=services]")
    page.keyboard.press("Space")
    tab_to(page, "[name=pay]")
    page.keyboard.press("Enter")
    page.wait_for_url("**/demo/shop/orders/*/")
    expect(page.locator("#used")).to_contain_text("alterations")


def test_a_service_is_used_up_and_comes_back_with_the_goods(shopper):
    """One of the two alterations was used by the keyboard; here goes the other."""
    page = shops_as(shopper, "gold")
    takes(shopper, "BOOT-4")
    box = page.locator(".shop-services")
    expect(box).to_contain_text("1 left")
    page.locator("[name=services]").check()
    orders(shopper)
    order = page.url
    assert shopper.axe() == []
    shopper.picture("shop-order")

    page.goto("/demo/shop/")
    takes(shopper, "COAT-9")
    expect(box).to_contain_text("alterations: used_up")
    expect(page.locator("[name=services]")).to_be_disabled()
    assert shopper.axe() == []

    page.goto(order)
    page.locator("[name='BOOT-4']").fill("1")
    page.get_by_role("button", name="Send back").click()
    expect(page.locator(".messages")).to_contain_text("The goods are back.")
    expect(page.locator("#used")).to_contain_text("returned")
    page.goto("/demo/shop/basket/")
    expect(box).to_contain_text("1 left")


def test_the_savings_statement_adds_up_to_what_the_shop_was_told(shopper):
    """A new order of three pieces, one of which comes back; and the scarf of before."""
    page = shops_as(shopper, "gold")
    takes(shopper, "COAT-9", "KNIT-7", "SCARF-2")
    orders(shopper)
    page.locator("[name='COAT-9']").fill("1")
    page.get_by_role("button", name="Send back").click()
    expect(page.locator(".messages")).to_contain_text("The goods are back.")
    told = sum(amount(text) for text in page.locator("#used li > span:last-child").all_inner_texts())
    scarf = 195 + 495 + 2500  # 5 % of € 39.00, the delivery, the alterations

    shopper.log_in_as("gold")
    page.goto("/portal/")
    expect(page.locator("main")).to_contain_text("Saved since")
    expect(page.locator("main")).to_contain_text("1 left, until")
    page.locator("main a[href='/portal/savings/']").click()
    period = page.locator(".saved").first
    lines = sum(amount(text) for text in period.locator("tbody td:last-child").all_inner_texts())
    uses = sum(amount(text) for text in period.locator("details li > span:last-child").all_text_contents())
    assert lines == uses == amount(period.locator(".saved-sum").inner_text()) == told + scarf
    assert shopper.axe() == []
    shopper.picture("savings")


def test_the_sale_opens_to_silver_a_day_before_everybody_and_they_are_told_by_letter(shopper):
    page = shops_as(shopper, "silver")
    move(page, "+1 day")
    shops_as(shopper, "silver")
    expect(page.locator(".shop-sale")).to_contain_text("Open for you since")
    assert set(SALE) <= sold(page)
    takes(shopper, "WOOL-5")
    orders(shopper)
    expect(page.locator(".payable")).to_have_text("€\u00a069.00")
    shops_as(shopper, "")
    assert not set(SALE) & sold(page)

    page.goto("/dev/mail/")
    letters = page.locator("#mailbox li", has_text="Winter sale")
    addresses = {persona: shopper.demo.persona(persona)["email"] for persona in ("gold", "silver", "bronze")}
    assert letters.filter(has_text=addresses["silver"]).count() == 1
    assert letters.filter(has_text=addresses["gold"]).count() == 1
    assert letters.filter(has_text=addresses["bronze"]).count() == 0

    page.goto("/demo/shop/")
    move(page, "+1 day")
    shops_as(shopper, "")
    expect(page.locator(".shop-sale")).to_contain_text("Open to everybody until")
    assert set(SALE) <= sold(page)
    takes(shopper, "PACK-3")
    orders(shopper)
    expect(page.locator("main")).to_contain_text("No perk was used for this order.")
