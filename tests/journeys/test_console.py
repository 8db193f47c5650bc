"""A support clerk's way through the console, by keyboard; and what a viewer is not offered."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.journeys.approving import ask_above_the_limit
from tests.journeys.second_steps import prove_it_is_you

REASON = "parcel came late"


def find(person, text: str) -> None:
    """As a clerk does on the telephone: the slash, what was said, Enter."""
    person.page.keyboard.press("/")
    expect(person.page.locator("#find")).to_be_focused()
    person.page.keyboard.type(text)
    with person.page.expect_navigation():
        person.page.keyboard.press("Enter")


def test_a_clerk_finds_extends_and_sees_it_in_the_story(person, demo):
    silver = demo.persona("silver")
    person.log_in_to_console("support")
    page = person.page

    find(person, "bram d")
    page.keyboard.press("j")
    expect(page.get_by_role("link", name=silver["name"])).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/console/members/{silver['number']}/")
    assert person.axe() == []

    page.get_by_role("link", name="Extend free of charge").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Days")).to_be_focused()
    page.keyboard.type("7")
    page.keyboard.press("Tab")
    page.keyboard.type(REASON)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="This will happen")).to_be_visible()
    expect(page.locator(".desk-preview li")).to_contain_text(["The last day moves from", "The next charge of € 59"])
    assert person.axe() == []
    expect(page.get_by_role("button", name="Give these days")).to_be_focused()
    page.keyboard.press("Enter")

    page.wait_for_url(f"**/console/members/{silver['number']}/")
    told = page.locator(".desk-lines .line", has_text="free of charge")
    expect(told).to_contain_text(REASON)
    expect(told).to_contain_text("Vik Rao")


def test_what_is_known_exactly_opens_at_once(person, demo):
    gold = demo.persona("gold")
    person.log_in_to_console("support")

    find(person, gold["email"])

    person.page.wait_for_url(f"**/console/members/{gold['number']}/")


def test_a_manager_gives_from_today_what_a_clerk_asked_above_the_limit(person, new_person, demo):
    number, why = demo.persona("silver")["number"], "the parcel spoiled the party"
    person.log_in_to_console("support")
    person.page.goto(f"/console/members/{number}/refund/")
    prove_it_is_you(person)
    ask_above_the_limit(person, amount="55", reason=why)

    manager = new_person()
    manager.log_in_to_console("manager")
    page = manager.page
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Second person needed").last.press("Enter")
    expect(page.locator("tbody tr", has_text=why)).to_contain_text("Vik Rao")
    assert manager.axe() == []
    page.keyboard.press("j")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    prove_it_is_you(manager)
    page.get_by_label("Reason").press_sequentially("talked to them")
    page.get_by_role("button", name="Show what will happen").press("Enter")
    expect(page.locator(".desk-preview li", has_text="The member gets back")).to_be_visible()
    assert manager.axe() == []
    page.keyboard.press("Enter")
    expect(page.get_by_text("It is decided, and on its way.")).to_be_visible()


def test_a_viewer_reads_and_is_offered_nothing(person, demo):
    number = demo.persona("gold")["number"]
    person.log_in_to_console("viewer")

    person.page.goto(f"/console/members/{number}/")

    expect(person.page.locator(".desk-acts a")).to_have_count(0)
    answer = person.page.goto(f"/console/members/{number}/extend/")
    assert answer is not None
    assert answer.status == 403
