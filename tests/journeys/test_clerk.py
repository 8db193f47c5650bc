"""A clerk at the console with a keyboard alone: “I was charged after I canceled”, and what follows from it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.journeys.test_join import choose, expect_member, pay
from tests.journeys.walk import BASKET, Shop, qr_code

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from tests.journeys.person import Person

EXPRESS: dict[str, Any] = {**BASKET, "shipping": {"country": "NL", "method": "express", "amount": 995}}
MANY = 80  # presses of Tab that nobody needs for anything here
SEEN = """() => { const it = getComputedStyle(document.activeElement);
return it.outlineStyle !== "none" && parseFloat(it.outlineWidth) > 0 }"""


def tab_to(person: Person, goal: Locator) -> None:
    """Press Tab until it has the focus, and is seen to have it."""
    for _ in range(MANY):
        if goal.evaluate("it => it === document.activeElement"):
            assert person.page.evaluate(SEEN), f"the focus does not show on {goal}"
            return
        person.page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not lead to {goal}")


def enter(person: Person) -> None:
    """Press Enter; on the page that it leads to axe finds nothing."""
    with person.page.expect_navigation():
        person.page.keyboard.press("Enter")
    assert person.axe() == []


def follow(person: Person, words: str) -> None:
    tab_to(person, person.page.locator("main").get_by_role("link", name=words, exact=True).first)
    enter(person)


def find(person: Person, text: str) -> None:
    person.page.keyboard.press("/")
    expect(person.page.locator("#find")).to_be_focused()
    person.page.keyboard.type(text)
    enter(person)


def act(person: Person, name: str, *typed: str, button: str) -> Locator:
    """Open an act, which puts the focus in its first field; type field by field; read, confirm. -> what was read"""
    follow(person, name)
    give_password(person)
    first = person.page.locator("main form :is(input, select, textarea):not([type=hidden])").first
    expect(first).to_be_focused()
    for number, text in enumerate(typed):
        if number:
            person.page.keyboard.press("Tab")
        person.page.keyboard.type(text)
    tab_to(person, person.page.get_by_role("button", name="Show what will happen"))
    enter(person)
    expect(person.page.get_by_role("button", name=button)).to_be_focused()
    return person.page.locator(".desk-preview li")


def give_password(person: Person) -> None:
    """Where money is about to go back the console asks once more who is there."""
    field = person.page.locator("main [name=password]")
    if field.count():
        expect(field).to_be_focused()
        person.page.keyboard.type(person.password)
        enter(person)


@pytest.fixture
def robin(new_person):
    """Joined, paid, was refused express delivery, canceled; and then looked at the bank's statement."""
    robin = new_person()
    robin.sign_up()
    pay(choose(robin, "silver-year"))
    expect_member(robin, "Silver")
    return robin


def cancel(robin: Person) -> None:
    robin.page.goto("/portal/cancel/")
    robin.page.get_by_role("button", name="Cancel my membership").press("Enter")
    expect(robin.page.locator("main")).to_contain_text("nothing more will be charged")


def card_of(robin: Person) -> str:
    return qr_code(robin.context.request.get("/portal/card.pdf").body())


def test_a_clerk_answers_who_was_charged_after_canceling(robin, new_person, demo):
    number = re.sub(r"\D", "", robin.page.locator(".hallmark .number").inner_text())
    shop, token = Shop(demo.base_url, demo.api_key), card_of(robin)
    check = shop.check(number, EXPRESS)
    cancel(robin)
    clerk = new_person()
    clerk.log_in_to_console("support")
    page = clerk.page
    story, money = page.locator(".desk-lines"), page.locator(".desk-facts section", has_text="Charged after canceling?")

    # What happened? The answer stands beside the story, in words that may be read out.
    find(clerk, robin.email)
    page.wait_for_url(f"**/console/members/{number}/")
    expect(money).to_contain_text("Nothing was charged after they canceled on")
    expect(money).to_contain_text(re.compile(r"€\s?59\.00 was charged on .*, for the term from .* to "))
    expect(money).to_contain_text("That term had begun before they canceled.")
    follow(clerk, "Money")
    expect(story).to_contain_text(re.compile(r"Invoice \S+ was paid on .*\d\d:\d\d\."))
    follow(clerk, "Membership")
    expect(story).to_contain_text("Canceled: no further renewal.")
    clerk.picture("clerk-charged-after-canceling")

    # A part of it goes back, for the trouble.
    told = act(clerk, "Give money back", "Goodwill", "20", "", "we could have said it plainer", button="Give it back")
    expect(told.filter(has_text=re.compile(r"The member gets back €\s?20\.00, to the card"))).to_be_visible()
    enter(clerk)
    expect(page.locator(".messages")).to_contain_text("It is decided, and on its way.")
    expect(story).to_contain_text("we could have said it plainer")

    # Why no free express delivery? The shop quotes its check.
    find(clerk, check["id"])
    page.wait_for_url(f"**/console/checks/{check['id']}/")
    expect(page.locator("main")).to_contain_text("method_excluded")
    expect(page.get_by_role("region", name="The sum")).to_contain_text(re.compile(r"To pay.*€\s?138\.95"))
    clerk.picture("clerk-check")
    follow(clerk, "What shops asked about Robin Achterberg")
    page.keyboard.press("j")
    expect(page.locator("tbody a").first).to_be_focused()

    # Days, a note, another card.
    find(clerk, number)
    told = act(clerk, "Extend free of charge", "7", "waited for us", button="Give these days")
    expect(told.first).to_contain_text("The last day moves from")
    enter(clerk)
    expect(story).to_contain_text("waited for us")
    act(clerk, "Write a note", "Reads statements closely. Call after six.", button="Keep the note")
    enter(clerk)
    follow(clerk, "Notes")
    expect(story).to_contain_text("Call after six.")
    act(clerk, "Replace the card", "Lost", "left on a train", button="Issue a new card")
    enter(clerk)
    expect(page.locator(".messages")).to_contain_text("A new card stands in the member's portal.")

    old, new = (shop.ask("/api/v1/cards/verify", {"token": one}) for one in (token, card_of(robin)))
    assert (old["valid"], new["valid"]) == (False, True)
