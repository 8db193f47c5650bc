"""Getting in: sign-up with a mailed code, then by password, code, authenticator app and passkey."""

from __future__ import annotations

import base64
import hmac
import re
import time
from hashlib import sha1

import pytest
from playwright.sync_api import expect


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
        member.page.goto("/account/2fa/webauthn/add/")
        prove_it_is_you(member)
        form = member.page.locator("form[data-passkey=make]")
        form.locator("[name=name]").fill("Kitchen laptop")
        form.locator("button").click()
        expect(member.page.locator("form[data-passkey=make]")).to_have_count(0)
        leave(member)

        member.page.goto("/account/login/")
        member.page.locator("form[data-passkey=log-in] button").click()
        member.page.wait_for_url(re.compile(r"/portal/"))

        expect_inside(member)


def add_authenticator_app(person) -> str:
    """Turn on TOTP; the secret, as the person's app would keep it."""
    person.page.goto("/account/2fa/totp/activate/")
    prove_it_is_you(person)
    secret: str = person.page.locator("#authenticator_secret").inner_text().strip()
    form = person.page.locator("main form", has=person.page.locator("[name=code]"))
    form.locator("[name=code]").fill(totp(secret))
    person.press(form)
    expect(person.page.locator("#authenticator_secret")).to_have_count(0)
    return secret


def totp(secret: str) -> str:
    """The six digits of this half minute (RFC 6238), as any app computes them. Waits out its last second."""
    if time.time() % 30 > 28:
        time.sleep(2.1)
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    told = hmac.new(key, int(time.time() // 30).to_bytes(8), sha1).digest()
    place = told[-1] & 15
    return f"{(int.from_bytes(told[place : place + 4]) & 0x7FFFFFFF) % 1_000_000:06}"


def plug_in_an_authenticator(person) -> None:
    """A device that keeps passkeys and recognizes its owner, in place of a finger on a sensor."""
    devices = person.context.new_cdp_session(person.page)
    devices.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
    }
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def prove_it_is_you(person) -> None:
    """Where a page asks once more for the password, give it."""
    again = person.page.locator("main form", has=person.page.locator("[name=password]"))
    if again.count():
        again.locator("[name=password]").fill(person.password)
        person.press(again)
