"""A person at a browser: opens pages, signs up, logs in, reads their mail. Each has cookies of their own."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, expect

from tests.journeys.rig import ROOT, Demo

PICTURES = ROOT / "test-results" / "pages"
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
CARDS = {
    "good": "4242424242424242",
    "asks for 3-D Secure": "4000002500003155",
    "declined": "4000000000000002",
}
# Targets of 24 px (WCAG 2.2) are a rule that axe checks only when asked.
AXE_OPTIONS = "{resultTypes: ['violations'], rules: {'target-size': {enabled: true}}}"
PASSWORD = "a-long-walk-in-march"
PATIENCE = 15_000  # milliseconds for a page or a thing on it
expect.set_options(timeout=PATIENCE)


@dataclass
class Person:
    """`page` is the tab in front. Violations of the content security policy are collected while they browse."""

    browser: Browser
    demo: Demo
    name: str = "Robin Achterberg"
    email: str = field(default_factory=lambda: f"robin.{uuid.uuid4().hex[:10]}@example.com")
    password: str = PASSWORD
    violations: list[str] = field(default_factory=list)
    context: BrowserContext = field(init=False)
    page: Page = field(init=False)

    def __post_init__(self) -> None:
        self.context = self.browser.new_context(base_url=self.demo.base_url, viewport=DESKTOP, locale="en-GB")  # type: ignore[arg-type]
        self.context.set_default_timeout(PATIENCE)
        self.context.on("page", lambda page: page.on("console", self._listen))
        self.page = self.context.new_page()

    def _listen(self, message: ConsoleMessage) -> None:
        if re.search(r"Content Security Policy|Content-Security-Policy", message.text):
            self.violations.append(f"{message.page.url if message.page else ''}: {message.text}")

    def new_tab(self) -> Page:
        return self.context.new_page()

    # --- accounts

    def sign_up(self) -> None:
        """An account with a confirmed address; ends where the product leads next."""
        self.page.goto("/account/signup/")
        self.fill_in_sign_up()
        self.give_code()

    def fill_in_sign_up(self) -> None:
        form = self.page.locator("main form", has=self.page.locator("[name=email]"))
        form.locator("[name=name]").fill(self.name)
        form.locator("[name=email]").fill(self.email)
        form.locator("[name=password1]").fill(self.password)
        self.press(form)

    def give_code(self) -> None:
        """Type the newest mailed code into the page that asks for it."""
        form = self.page.locator("main form", has=self.page.locator("[name=code]"))
        expect(form).to_be_visible()
        form.locator("[name=code]").fill(self.read_code())
        self.press(form)

    def log_in(self) -> None:
        self.page.goto("/account/login/")
        form = self.page.locator("main form", has=self.page.locator("[name=password]"))
        form.locator("[name=login]").fill(self.email)
        form.locator("[name=password]").fill(self.password)
        self.press(form)

    def log_in_as(self, persona: str) -> None:
        known = self.demo.persona(persona)
        self.email, self.password, self.name = known["email"], known["password"], known["name"]
        self.log_in()

    def log_in_to_console(self, role: str) -> None:
        known = next(one for one in self.demo.facts["staff"] if one["role"] == role)
        self.email, self.password, self.name = known["email"], known["password"], known["name"]
        self.log_in()
        self.page.wait_for_url("**/console/")

    def press(self, form: Locator) -> None:
        """The button that sends a form; back when the answer has come."""
        form.locator("button:not([type=button])").last.click()
        self.page.wait_for_load_state()

    def read_code(self) -> str:
        """The newest code that was mailed to this person, as /dev/mail shows it in a tab of its own."""
        tab = self.new_tab()
        try:
            tab.goto("/dev/mail/")
            own = tab.locator("#mailbox li", has_text=self.email)
            code = own.locator(".code").first  # letters without one (a sale opens) may have come since
            expect(code).to_be_visible()
            return code.inner_text().strip()
        finally:
            tab.close()

    # --- looking

    def axe(self, page: Page | None = None) -> list[str]:
        """Serious and critical findings on `page`, or on the one in front, a line each."""
        page = page or self.page
        # Playwright evaluates past the page's policy, so axe itself breaks no rule of it.
        page.evaluate(Path(AXE_FILE_PATH).read_text(encoding="utf-8"))
        found: dict[str, Any] = page.evaluate(f"axe.run({AXE_OPTIONS})")
        return [
            f"{page.url}: {rule['id']} ({rule['impact']}): {node['target']} {node['html'][:160]}"
            for rule in found["violations"]
            if rule["impact"] in ("serious", "critical")
            for node in rule["nodes"]
        ]

    def picture(self, name: str) -> None:
        """The page in front as a person sees it, at a desk and on a phone, into test-results/pages/."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        for size in (PHONE, DESKTOP):
            self.page.set_viewport_size(size)  # type: ignore[arg-type]
            self.page.screenshot(path=PICTURES / f"{name}-{size['width']}.png", full_page=True)

    def close(self) -> None:
        self.context.close()
