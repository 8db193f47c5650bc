"""Changing one's mind: cancel, stay after all, cancel, run out, lapse, and come back, as a person does it.

The clock of this demo is moved by more than a year, so it is a demo of its own.
"""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.journeys.person import Person
from tests.journeys.rig import ROOT, Demo, running
from tests.journeys.test_join import choose, expect_member, pay

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

JOURNEY_OF_A_YEAR = 300  # seconds on a busy machine


@pytest.fixture
def own_demo(tmp_path, lived) -> Iterator[Demo]:
    with running(tmp_path / "var", like=lived) as demo:
        yield demo


@pytest.fixture
def robin(browser: Browser, own_demo: Demo) -> Iterator[Person]:
    person = Person(browser=browser, demo=own_demo)
    yield person
    violations = person.violations
    person.close()
    assert violations == []


def move(demo: Demo, days: int) -> None:
    """Move the demo's clock, as its bar does."""
    command = [sys.executable, "manage.py", "move_time", "--days", str(days)]
    subprocess.run(command, cwd=ROOT, env=demo.variables(), check=True, timeout=JOURNEY_OF_A_YEAR)


def press(person: Person, words: str) -> None:
    person.page.get_by_role("button", name=words).click()
    person.page.wait_for_load_state()


def cancel(person: Person) -> None:
    person.page.goto("/portal/cancel/")
    expect(person.page.locator("main")).to_contain_text("will not be taken")
    press(person, "Cancel my membership")
    expect(person.page.locator("main")).to_contain_text("nothing more will be charged")


def look(person: Person, name: str) -> None:
    """A picture to look at, and nothing serious for axe to find."""
    person.picture(f"leaving-{name}")
    assert person.axe() == []


def test_cancel_stay_cancel_run_out_and_come_back(robin, own_demo):
    robin.sign_up()
    pay(choose(robin))
    expect_member(robin)
    number = robin.page.locator(".hallmark .number").inner_text()

    robin.page.goto("/portal/cancel/")
    look(robin, "ahead")
    cancel(robin)
    look(robin, "canceled")
    press(robin, "Stay after all")
    expect(robin.page.locator("main")).to_contain_text("Your next payment of")
    cancel(robin)
    robin.page.goto("/portal/cancel/")
    expect(robin.page.locator("main")).to_contain_text("You canceled on")
    look(robin, "already")

    move(own_demo, 367)
    robin.page.goto("/portal/")
    if "/login/" in robin.page.url:
        robin.log_in()
        robin.page.goto("/portal/")
    expect(robin.page.locator("main")).to_contain_text("You are welcome back")
    look(robin, "lapsed")
    robin.page.goto("/plans/")
    expect(robin.page.locator("main")).to_contain_text("Welcome back, Robin Achterberg.")
    look(robin, "welcome-back")

    pay(choose(robin, "silver-year"))
    expect_member(robin, "Silver")
    assert robin.page.locator(".hallmark .number").inner_text() == number
    look(robin, "back")
    robin.page.goto("/dev/mail/")
    for subject in ("Your cancellation is confirmed", "Good to have you", "Your membership has ended", "Welcome back"):
        expect(robin.page.locator("#mailbox")).to_contain_text(subject)
