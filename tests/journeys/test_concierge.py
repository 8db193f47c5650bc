"""A concierge day, by keyboard: a member asks, a clerk claims and answers, the member replies, the clerk closes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from tests.journeys.person import Person


def type_into(person: Person, label: str | re.Pattern[str], text: str) -> None:
    person.page.get_by_label(label).focus()
    person.page.keyboard.type(text)


def press(person: Person, name: str) -> None:
    """A button or a link, as somebody without a mouse does."""
    button = person.page.get_by_role("button", name=name).or_(person.page.get_by_role("link", name=name)).first
    button.focus()
    with person.page.expect_navigation():
        person.page.keyboard.press("Enter")


def test_a_concierge_day(new_person):
    member, clerk = new_person(), new_person()
    member.log_in_as("gold")
    member.page.goto("/portal/concierge/")
    left = int(re.search(r"(\d+) of 12 requests left", member.page.inner_text("main"))[1])
    subject = f"A coat for Vienna ({left})"
    type_into(member, "What is it about?", subject)
    type_into(member, "Your message", "Size 40, please.")
    press(member, "Send the request")
    expect(member.page.locator("main")).to_contain_text("You have our answer by")
    assert member.axe() == []
    asked_at = member.page.url

    clerk.log_in_to_console("support")
    clerk.page.goto("/console/concierge/")
    row = clerk.page.get_by_role("row", name=subject)
    expect(row).to_contain_text(re.compile("due|urgent"))
    assert clerk.axe() == []
    press(clerk, subject)
    press(clerk, "Take in hand")
    type_into(clerk, "Answer", "The green one is put aside until Friday.")
    press(clerk, "Send the answer")
    expect(clerk.page.locator("main")).to_contain_text("answered, the member may write")
    assert clerk.axe() == []
    at_desk = clerk.page.url

    member.page.goto("/dev/mail/")
    member.page.get_by_role("link", name=re.compile(re.escape(f"About your request: {subject}"))).first.focus()
    with member.page.expect_navigation():
        member.page.keyboard.press("Enter")
    expect(member.page.locator(".mail-body")).to_contain_text("The green one is put aside until Friday.")
    type_into(member, re.compile("^Your answer"), "Perfect, I come on Thursday.")
    press(member, "Send the answer")
    expect(member.page.locator("body")).to_contain_text("Your answer has arrived.")

    clerk.page.goto(at_desk)
    expect(clerk.page.locator(".desk-lines")).to_contain_text("Perfect, I come on Thursday.")
    press(clerk, "Close the request")
    for label, typed in (
        ("Worth to the member", "40"),
        ("Cost to us", "12.50"),
        ("What it came to", "put aside, sold"),
    ):
        clerk.page.get_by_label(label).focus()
        clerk.page.keyboard.press("Control+A")
        clerk.page.keyboard.type(typed)
    press(clerk, "Show what will happen")
    expect(clerk.page.locator(".desk-preview")).to_contain_text(f"{left - 1} are left")
    assert clerk.axe() == []
    press(clerk, "Close it")
    expect(clerk.page.locator("main")).to_contain_text("as one request")

    member.page.goto(asked_at)
    expect(member.page.locator("main")).to_contain_text("It counts as one of your requests.")
    member.page.goto("/portal/concierge/")
    expect(member.page.locator("main")).to_contain_text(f"{left - 1} of 12 requests left")
    member.page.goto("/portal/savings/")
    expect(member.page.locator("main")).to_contain_text(re.compile(r"€\s?40\.00"))
