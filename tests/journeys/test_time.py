"""The demo's clock in a browser: the bar, what happens when time moves, and the personas that were lived on it.

Each class has a demo of its own: time is shared by all who look at a demo.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.person import CARDS, DESKTOP, PHONE, Person
from tests.journeys.rig import running
from tests.journeys.walk import Shop

LONG = 90_000  # milliseconds: a year of everybody's lives, on a busy machine


@pytest.fixture(scope="module")
def own(tmp_path_factory, lived):
    """A demo whose time may be moved without anybody else noticing."""
    with running(tmp_path_factory.mktemp("time") / "var", like=lived) as demo:
        yield demo


@pytest.fixture
def look(browser, own):
    """look("gold"): that persona at a browser, logged in; look(): a visitor."""
    people = []

    def arrive(persona: str = "") -> Person:
        person = Person(browser=browser, demo=own)
        people.append(person)
        if persona:
            person.log_in_as(persona)
        return person

    yield arrive
    broken = [line for person in people for line in person.violations]
    for person in people:
        person.close()
    assert broken == []


def move(page: Page, name: str) -> None:
    """Press a button of the bar; back when time has arrived."""
    page.locator(".demo-bar").get_by_role("button", name=name).click(timeout=LONG)
    expect(page.locator(".messages")).to_contain_text("Here it is", timeout=LONG)


def now(page: Page) -> date:
    """The day in the bar."""
    shown = page.locator("[data-demo-time]").inner_text()
    return datetime.strptime(shown.split(",")[0], "%d %B %Y").replace(tzinfo=UTC).date()


def valid_until(page: Page) -> date:
    """The day that the portal promises."""
    page.goto("/portal/")
    shown = re.search(r"valid until (\d+ \w+ \d{4})", page.locator("main").inner_text())
    assert shown, page.locator("main").inner_text()
    return datetime.strptime(shown[1], "%d %B %Y").replace(tzinfo=UTC).date()


@pytest.mark.usefixtures("browser")  # or pytest would put the first of them, which needs none, behind the others
class TestThePersonas:
    """As they are at the demo's present, each by a life that was lived. First: nothing has been moved yet."""

    STANDINGS = {
        "gold": "current", "silver": "current", "bronze": "current", "grace": "grace", "lapsed": "lapsed",
        "canceling": "current", "leap": "current",
    }  # fmt: skip

    def test_stand_where_their_names_say(self, own):
        shop = Shop(own.base_url, own.api_key)
        question = {"basket": {"currency": "EUR"}, "perks": ["free-shipping"]}

        told = {
            name: shop.ask("/api/v1/perk-checks", {**question, "member": {"number": own.persona(name)["number"]}})
            for name in self.STANDINGS
        }

        assert {name: answer["member"]["standing"] for name, answer in told.items()} == self.STANDINGS

    def test_who_joined_on_a_leap_day_is_paid_until_the_last_of_february(self, look):
        person = look("leap")

        until = valid_until(person.page)

        assert (until.month, until.day) == (2, 29 if until.year % 4 == 0 else 28)
        expect(person.page.locator("main")).to_contain_text("29 February")

    def test_in_grace_the_portal_says_what_to_do(self, look):
        person = look("grace")
        person.page.goto("/portal/")

        expect(person.page.locator("main")).to_contain_text("We keep your place until")

    def test_who_canceled_may_stay(self, look):
        person = look("canceling")
        person.page.goto("/portal/")

        expect(person.page.locator("form[action='/portal/stay/']")).to_be_visible()

    def test_who_lapsed_may_join_again(self, look):
        person = look("lapsed")
        person.page.goto("/portal/")

        expect(person.page.locator("main")).to_contain_text("Join again")


class TestTheBar:
    def test_works_without_javascript_and_leads_back(self, browser, own):
        context = browser.new_context(base_url=own.base_url, java_script_enabled=False, locale="en-GB")
        page = context.new_page()
        page.goto("/plans/?currency=USD")
        before = now(page)

        move(page, "+1 day")

        assert page.url.endswith("/plans/?currency=USD")
        assert (now(page) - before).days == 1
        context.close()

    def test_is_passed_by_the_skip_link_and_reached_by_keys(self, look):
        page = look().page
        page.goto("/")

        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "content"
        page.goto("/")
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.value") == "day"

    @pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
    def test_takes_little_room(self, look, size):
        person = look()
        person.page.set_viewport_size(size)
        person.page.goto("/")

        box = person.page.locator(".demo-bar").bounding_box()

        assert box["height"] <= (60 if size is DESKTOP else 140)
        assert person.axe() == []

    def test_of_two_that_press_at_once_one_moves_and_the_other_is_told(self, look):
        first, second = look().page, look().page
        first.goto("/")
        second.goto("/")
        before = now(first)

        for page in (first, second):
            page.evaluate("document.querySelector('[data-demo-clock] [value=month]').click()")
        for page in (first, second):
            expect(page.locator(".messages")).to_be_visible(timeout=LONG)

        told = " ".join(page.locator(".messages").inner_text() for page in (first, second))
        moved = (now(first) - before).days
        assert "Here it is" in told
        assert moved <= 31 or "already" not in told  # the second may have come when the first had arrived

    def test_speaks_german(self, browser, own):
        context = browser.new_context(base_url=own.base_url, locale="de-DE")
        page = context.new_page()
        page.goto("/")
        expect(page.locator(".demo-bar")).to_contain_text("Zur nächsten Verlängerung")
        context.close()


def test_at_the_renewal_it_is_paid_and_the_term_and_the_card_go_on(look):
    person = look("gold")
    page = person.page
    until = valid_until(page)

    move(page, "To the next renewal")

    assert (now(page) - until).days in (0, 1)
    renewed = valid_until(page)
    assert (renewed.year, renewed.month, renewed.day) == (until.year + 1, until.month, until.day)
    page.goto("/portal/invoices/")
    expect(page.locator("main a[href*='/portal/invoices/']")).to_have_count(2)
    expect(page.locator("main")).to_contain_text("119")
    page.goto("/dev/mail/")
    letters = page.locator("#mailbox li", has_text=person.email)
    # code, welcome, receipt; the sale that opens first; two that announced the renewal, its receipt
    expect(letters).to_have_count(7)
    verified = Shop(person.demo.base_url, person.demo.api_key).ask(
        "/api/v1/cards/verify", {"token": person.demo.persona("gold")["card_token"]}
    )
    assert (verified["valid"], verified["entitled_until"][:4]) == (True, str(renewed.year))


def test_a_newcomer_is_renewed_too(look):
    """Who joins after time was moved lives in it as everybody does."""
    person = look()
    person.sign_up()
    page = person.page
    page.goto("/checkout/bronze-year/")
    page.locator("main form [name=agree]").check()
    page.locator("main form button[type=submit]").click()
    page.wait_for_url("**/stripe/c/pay/**")
    form = page.locator("form#pay")
    for name, value in {"number": CARDS["good"], "expiry": "12 / 49", "cvc": "123", "name": "R. A."}.items():
        form.locator(f"[name={name}]").fill(value)
    form.locator("button[name=pay]").click()
    page.wait_for_url("**/portal/")
    until = valid_until(page)

    move(page, "To the next renewal")

    assert valid_until(page).year == until.year + 1
