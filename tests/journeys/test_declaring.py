"""Canceling without logging in, from the foot of a page, as a person does it who has only their card at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.journeys.declaring import declare
from tests.journeys.test_join import choose, expect_member, pay

if TYPE_CHECKING:
    from tests.journeys.person import Person

TRIES = 30  # a second each, on a busy machine: the worker does it when it hears the bell


def look(person: Person, name: str) -> None:
    person.picture(f"declaring-{name}")
    assert person.axe() == []


def wait_for_mail(person: Person, subject: str) -> None:
    """Open the mailbox until this letter to this person is in it."""
    own = person.page.locator("#mailbox li", has_text=person.email).filter(has_text=subject)
    for _ in range(TRIES):
        person.page.goto("/dev/mail/")
        if own.count():
            return
        person.page.wait_for_timeout(1_000)
    expect(own.first).to_be_visible()


def test_cancel_without_logging_in(new_person):
    robin = new_person()
    robin.sign_up()
    pay(choose(robin))
    expect_member(robin)
    number = robin.page.locator(".hallmark .number").inner_text()

    elsewhere = new_person(name=robin.name, email=robin.email)
    elsewhere.page.goto("/plans/")
    elsewhere.page.get_by_role("link", name="Cancel contracts here").click()
    expect(elsewhere.page.get_by_role("button", name="Cancel now")).to_be_visible()
    expect(elsewhere.page.locator("[name=reason]")).to_be_hidden()
    look(elsewhere, "form")
    declare(elsewhere, number=number)
    expect(elsewhere.page.locator("main")).to_contain_text("Your cancellation has arrived")
    look(elsewhere, "arrived")

    wait_for_mail(elsewhere, "Your cancellation has arrived")
    wait_for_mail(elsewhere, "Your cancellation is confirmed")
    robin.page.goto("/portal/")
    expect(robin.page.locator("main")).to_contain_text("nothing more will be charged")
    expect(robin.page.get_by_role("button", name="Stay after all")).to_be_visible()
