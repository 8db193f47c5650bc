"""The rig sees what it looks for: a broken content security policy and a fault that axe knows are both noticed."""

from __future__ import annotations

import contextlib

import pytest
from playwright.sync_api import Error


def test_an_inline_script_is_noticed(person):
    person.page.goto("/")

    with contextlib.suppress(Error):
        person.page.add_script_tag(content="document.title = 'planted'")

    assert len(person.violations) == 1
    person.violations.clear()


def test_a_picture_without_words_is_noticed(person):
    person.page.goto("/")
    person.page.evaluate("document.querySelector('main').append(document.createElement('img'))")

    assert any("image-alt" in line for line in person.axe())


PUBLIC = {"home": "/", "plans": "/plans/", "sign-up": "/account/signup/", "log-in": "/account/login/"}
MEMBERS = {"portal": "/portal/", "settings": "/portal/settings/", "invoices": "/portal/invoices/"}


@pytest.mark.parametrize(("name", "path"), PUBLIC.items())
def test_pages_for_everybody_can_be_used_by_everybody(person, name, path):
    person.page.goto(path)

    person.picture(name)
    assert person.axe() == []


def test_pages_for_members_can_be_used_by_everybody(person):
    person.log_in_as("gold")
    for name, path in MEMBERS.items():
        person.page.goto(path)
        person.picture(name)
        assert person.axe() == []
