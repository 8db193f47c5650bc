"""A manager drafts a perk, reads what it would do, publishes it, and lets a shop in; a viewer reads the catalogue."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.journeys.second_steps import prove_it_is_you

CODE, PERK = "gift-wrapping", "/console/catalogue/perks/gift-wrapping/"


def type_in(page, **fields: str) -> None:
    """Field after field by keyboard, then Enter."""
    for name, text in fields.items():
        page.locator(f"[name={name}]").focus()
        page.keyboard.type(text)
    page.keyboard.press("Enter")


def test_a_manager_drafts_previews_and_publishes_a_perk_that_the_plans_page_then_tells(person, new_person):
    person.log_in_to_console("manager")
    page = person.page
    page.get_by_role("link", name="Catalogue").press("Enter")
    page.get_by_role("link", name="New perk").press("Enter")
    page.locator("[name=kind]").select_option("service")
    type_in(page, name_de="Geschenkpapier", code=CODE, name_en="Gift wrapping")
    page.wait_for_url(f"**{PERK}")
    page.locator(f"a[href$='{CODE}/tiers/gold/']").press("Enter")
    type_in(page, service__de="Geschenkverpackung", service__en="Gift wrapping")
    page.wait_for_url(f"**{PERK}")
    expect(page.locator(".desk-draft .desk-preview")).to_contain_text("Gold gets it anew")
    expect(page.locator("ins", has_text="Geschenkverpackung")).to_be_visible()
    assert person.axe() == []
    visitor = new_person()
    visitor.page.goto("/plans/")
    expect(visitor.page.get_by_text("Gift wrapping")).to_have_count(0)

    page.get_by_role("link", name="Publish…").press("Enter")
    page.get_by_label("Reason").press_sequentially("for the winter")
    page.get_by_role("button", name="Show what will happen").press("Enter")
    expect(page.get_by_role("button", name="Publish it")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".desk-lines", has_text="for the winter")).to_contain_text("Mara Voss")
    visitor.page.reload()
    expect(visitor.page.get_by_text("Gift wrapping")).to_be_visible()


def test_a_manager_lets_a_shop_in_whose_key_answers_at_once_and_is_read_once(person):
    person.log_in_to_console("manager")
    page = person.page
    page.goto("/console/shops/new/")
    prove_it_is_you(person)
    page.get_by_label("Shop", exact=True).press_sequentially("Loden & Sons")
    page.get_by_label("Reason").press_sequentially("opens in spring")
    page.get_by_role("button", name="Show what will happen").press("Enter")
    page.get_by_role("button", name="Let the shop in").press("Enter")
    key = page.get_by_role("textbox", name="Key").input_value()
    assert person.axe() == []

    bearer = {"Authorization": f"Bearer {key}"}
    assert page.request.get("/api/v1/members/1", headers=bearer).status == 404  # the key opens; there is no member 1
    page.get_by_role("link", name="I have kept it").press("Enter")
    expect(page.get_by_role("heading", name="Loden & Sons")).to_be_visible()
    assert key not in page.content()


def test_a_viewer_reads_the_catalogue_and_changes_nothing(person):
    person.log_in_to_console("viewer")
    page = person.page
    page.goto("/console/catalogue/perks/standing-discount/")
    expect(page.get_by_role("heading", name="Tiers")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("Change|Publish|Put it on"))).to_have_count(0)
    expect(page.locator("main form")).to_have_count(0)
    for path in ("catalogue/new-perk/", "catalogue/perks/standing-discount/tiers/gold/", "shops/", "shops/new/"):
        answer = page.goto(f"/console/{path}")
        assert answer is not None
        assert answer.status == 403
