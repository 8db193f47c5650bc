"""What proves a person beside their password: an authenticator app, a passkey; and the page that asks once more."""

from __future__ import annotations

import base64
import hmac
import time
from hashlib import sha1
from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from tests.journeys.person import Person


def add_authenticator_app(person: Person) -> str:
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


def plug_in_an_authenticator(person: Person) -> None:
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


def prove_it_is_you(person: Person) -> None:
    """Where a page asks once more for the password, give it."""
    again = person.page.locator("main form", has=person.page.locator("[name=password]"))
    if again.count():
        again.locator("[name=password]").fill(person.password)
        person.press(again)


def make_passkey(person: Person, name: str) -> None:
    """Add a passkey, kept by the authenticator that was plugged in."""
    person.page.goto("/account/2fa/webauthn/add/")
    prove_it_is_you(person)
    form = person.page.locator("form[data-passkey=make]")
    form.locator("[name=name]").fill(name)
    form.locator("button").click()
    expect(person.page.locator("form[data-passkey=make]")).to_have_count(0)
