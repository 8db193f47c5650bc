"""Joining: from the plans page over the local Stripe's payment page into the portal, as people really do it."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
import uuid

import pytest
from playwright.sync_api import Page, expect

from tests import installation
from tests.journeys import walk
from tests.journeys.person import CARDS, Person
from tests.journeys.rig import Demo, running


@pytest.fixture
def newcomer(person):
    """Somebody signed in, who is not a member yet."""
    person.sign_up()
    return person


def choose(person: Person, plan: str = "gold-year", *, tab: Page | None = None) -> Page:
    """From the plans page, agreeing to the terms, to the payment page."""
    page = tab or person.page
    page.goto("/plans/")
    page.locator(f"main a[href*='/checkout/{plan}/']").first.click()
    page.locator("main form [name=agree]").check()
    page.locator("main form button[type=submit]").click()
    return page


def pay(page: Page, card: str = "good") -> None:
    """Fill in the payment page and press its button."""
    page.wait_for_url("**/stripe/c/pay/**")
    form = page.locator("form#pay")
    form.locator("[name=number]").fill(CARDS[card])
    form.locator("[name=expiry]").fill("12 / 49")
    form.locator("[name=cvc]").fill("123")
    form.locator("[name=name]").fill("R. Achterberg")
    form.locator("button[name=pay]").click()


def expect_member(person: Person, tier: str = "Gold", page: Page | None = None) -> None:
    """The portal, reached by itself after paying, names the tier and has a card."""
    page = page or person.page
    page.wait_for_url("**/portal/")
    expect(page.locator("main")).to_contain_text(tier)
    expect(page.locator("main a[href$='/portal/card.pdf']").first).to_be_visible()


class TestPaying:
    def test_with_a_good_card(self, newcomer):
        pay(choose(newcomer))

        expect_member(newcomer)

    def test_with_a_card_that_asks_for_3d_secure(self, newcomer):
        pay(choose(newcomer), "asks for 3-D Secure")
        newcomer.page.locator("button[name=complete]").click()

        expect_member(newcomer)

    def test_with_a_declined_card_and_then_a_good_one(self, newcomer):
        page = choose(newcomer)
        pay(page, "declined")
        expect(page.locator("[role=alert]")).to_be_visible()

        pay(page)

        expect_member(newcomer)

    def test_with_a_promotion_code(self, newcomer, demo):
        code = promotion_code(demo, percent_off=25)
        page = choose(newcomer)
        page.wait_for_url("**/stripe/c/pay/**")
        expect(page.locator(".total")).to_contain_text("119.00")

        page.locator("form.code [name=code]").fill(code)
        page.locator("form.code [name=apply]").click()
        expect(page.locator(".total")).to_contain_text("89.25")
        pay(page)

        expect_member(newcomer)
        newcomer.page.goto("/portal/invoices/")
        expect(newcomer.page.locator("main")).to_contain_text("89.25")

    def test_after_leaving_half_way(self, newcomer):
        page = choose(newcomer)
        page.wait_for_url("**/stripe/c/pay/**")
        page.locator("a.back").click()
        expect(page.locator("main [role=status]")).to_be_visible()

        pay(choose(newcomer))

        expect_member(newcomer)


class TestTwoTabs:
    def test_the_same_plan_in_both_is_the_same_page(self, newcomer):
        first, second = choose(newcomer), choose(newcomer, tab=newcomer.new_tab())
        first.wait_for_url("**/stripe/c/pay/**")
        second.wait_for_url("**/stripe/c/pay/**")
        assert first.url == second.url

        pay(first)
        expect_member(newcomer, page=first)
        second.reload()

        expect_member(newcomer, page=second)
        second.goto("/portal/invoices/")
        expect(second.locator("main a[href*='/portal/invoices/']")).to_have_count(1)

    def test_another_plan_in_the_second_closes_the_first(self, newcomer):
        first = choose(newcomer, "gold-year")
        first.wait_for_url("**/stripe/c/pay/**")
        second = choose(newcomer, "bronze-year", tab=newcomer.new_tab())
        second.wait_for_url("**/stripe/c/pay/**")

        answer = first.reload()
        assert answer is not None
        assert answer.status == 410
        pay(second)

        expect_member(newcomer, "Bronze", page=second)


class TestTheCard:
    def test_its_code_can_be_read_and_is_honored(self, newcomer, demo):
        pay(choose(newcomer))
        expect_member(newcomer)

        pdf = newcomer.context.request.get("/portal/card.pdf").body()
        url = walk.qr_code(pdf)
        verified = walk.Shop(demo.base_url, demo.api_key).ask("/api/v1/cards/verify", {"token": url})

        assert (verified["valid"], verified["tier"]) == (True, "gold")
        newcomer.page.goto(url)
        expect(newcomer.page.locator("main")).to_contain_text("Gold")


def test_a_newcomer_joins_on_postgresql(browser, tmp_path):
    """The same demo with the product's rows in PostgreSQL."""
    url = installation.start_postgres(tmp_path / "postgres")
    with running(tmp_path / "var", DATABASE_URL=url) as demo:
        person = Person(browser=browser, demo=demo)
        person.sign_up()
        pay(choose(person))
        expect_member(person)
        assert not (demo.folder / "vip.sqlite3").exists()
        person.close()


def promotion_code(demo: Demo, *, percent_off: int) -> str:
    """A code made at the local Stripe, as staff would at Stripe's dashboard."""
    code = f"SPRING{uuid.uuid4().hex[:6].upper()}"
    coupon = at_stripe(demo, "coupons", {"percent_off": str(percent_off), "duration": "once"})
    at_stripe(demo, "promotion_codes", {"promotion[type]": "coupon", "promotion[coupon]": coupon["id"], "code": code})
    return code


def at_stripe(demo: Demo, what: str, values: dict[str, str]) -> dict[str, str]:
    request = urllib.request.Request(
        f"{demo.base_url}/stripe/v1/{what}",
        urllib.parse.urlencode(values).encode(),
        {"Authorization": "Bearer sk_test_local"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)  # type: ignore[no-any-return]
