"""Getting in: sign-up with a mailed code, then by password, code, authenticator app and passkey."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.second_steps import add_authenticator_app, make_passkey, plug_in_an_authenticator, totp


@pytest.fixture
def member(person):
    """Somebody with an account, signed in at the portal."""
    person.sign_up()
    return person


def leave(person) -> None:
    person.context.clear_cookies()


def expect_inside(person) -> None:
    """The portal greets them by name, and is not the log-in page."""
    person.page.goto("/portal/")
    expect(person.page).to_have_url(re.compile(r"/portal/$"))
    expect(person.page.locator("main")).to_contain_text(person.name.split()[0])


class TestSigningUp:
    def test_a_mailed_code_opens_the_portal(self, person):
        person.sign_up()

        expect_inside(person)

    def test_a_wrong_code_is_refused_in_words(self, person):
        person.page.goto("/account/signup/")
        person.fill_in_sign_up()
        form = person.page.locator("main form", has=person.page.locator("[name=code]"))

        form.locator("[name=code]").fill("AAAA-AAAA")
        person.press(form)

        expect(person.page.locator("main form [name=code]")).to_have_attribute("aria-invalid", "true")


class TestLoggingIn:
    def test_by_password(self, member):
        leave(member)

        member.log_in()

        expect_inside(member)

    def test_by_a_mailed_code(self, member):
        leave(member)
        member.page.goto("/account/login/code/")
        form = member.page.locator("main form", has=member.page.locator("[name=email]"))

        form.locator("[name=email]").fill(member.email)
        member.press(form)
        member.give_code()

        expect_inside(member)

    def test_an_expired_session_brings_you_back_to_where_you_were(self, member):
        leave(member)
        member.page.goto("/portal/settings/")
        form = member.page.locator("main form", has=member.page.locator("[name=password]"))

        form.locator("[name=login]").fill(member.email)
        form.locator("[name=password]").fill(member.password)
        member.press(form)

        expect(member.page).to_have_url(re.compile(r"/portal/settings/$"))

    def test_by_password_and_then_the_code_of_an_authenticator_app(self, member):
        secret = add_authenticator_app(member)
        leave(member)

        member.log_in()
        member.page.locator("main form [name=code]").fill(totp(secret))
        member.press(member.page.locator("main form", has=member.page.locator("[name=code]")))

        expect_inside(member)

    def test_by_a_passkey_alone(self, member):
        plug_in_an_authenticator(member)
        make_passkey(member, "Kitchen laptop")
        leave(member)

        member.page.goto("/account/login/")
        member.page.locator("form[data-passkey=log-in] button").click()
        member.page.wait_for_url(re.compile(r"/portal/"))

        expect_inside(member)
