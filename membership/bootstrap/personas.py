"""The demo's personas, made as any visitor is: by filling in the pages' forms and the local Stripe's. When each does
what is told in lives.py.

Each step looks at where the persona stands first, so that one left half-made is finished at the next start.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from membership.bootstrap.visitor import Page, StripeByHttp, Unexpected, Visitor

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

PASSWORD = "laurel-and-company"  # noqa: S105  # printed at every start, and of a demo only
GOOD_CARD = "4242424242424242"
BAD_CARD = "pm_card_chargeCustomerFail"
CANCEL = "/portal/cancel/"
SETTINGS = "/portal/settings/"
MAIL_WAIT = 20.0  # seconds a mail may take to be written
CODE = re.compile(r"data-code>([^<]+)<")  # where a page of /dev/mail shows the code of its mail


@dataclass(frozen=True)
class Persona:
    persona: str
    name: str
    email: str
    plan: str | None  # the code of the plan they buy; None: an account without membership
    password: str = PASSWORD


PERSONAS = (
    Persona("gold", "Ada Lindqvist", "ada@example.com", "gold-year"),
    Persona("silver", "Bram de Wit", "bram@example.com", "silver-year"),
    Persona("bronze", "Cleo Marchetti", "cleo@example.com", "bronze-year"),
    Persona("grace", "Femi Adeyemi", "femi@example.com", "silver-year"),
    Persona("lapsed", "Greta Sommer", "greta@example.com", "gold-year"),
    Persona("canceling", "Hugo Baptista", "hugo@example.com", "gold-year"),
    Persona("leap", "Esme Laurent", "esme@example.com", "silver-year"),
    Persona("none", "Dario Okonkwo", "dario@example.com", None),
)


def wait_for_web(base_url: str, *, seconds: float = 45.0) -> None:
    """Return when /healthz answers. Raises Unexpected after `seconds`."""
    deadline = time.monotonic() + seconds
    visitor = Visitor(base_url)
    while time.monotonic() < deadline:
        try:
            if visitor.open("/healthz").status == 200:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise Unexpected(f"{base_url} did not answer within {seconds:g} s")


def bring_to_life(persona: Persona, base_url: str, *, known: bool, paid: Callable[[], bool]) -> None:
    """Sign `persona` up (or log them in, when `known`), confirm the address, and pay unless `paid()`.

    Safe to repeat. Raises Unexpected when a page leads somewhere else.
    """
    visitor = Visitor(base_url)
    page = log_in(visitor, persona) if known else sign_up(visitor, persona)
    confirm_address(visitor, persona, page)
    if persona.plan and not paid():
        buy(visitor, persona.plan)
        _until(paid, f"{persona.persona} paid, but is not a member yet")


def cancel(persona: Persona, base_url: str) -> None:
    """From the portal over the page that says what it means. Safe to repeat."""
    visitor = Visitor(base_url)
    confirm_address(visitor, persona, log_in(visitor, persona))
    asked = visitor.open(CANCEL)
    if any(form.path == CANCEL for form in asked.forms):
        visitor.submit(asked.form(to=CANCEL))
    if "/portal/stay/" not in visitor.open("/portal/").text:
        raise Unexpected(f"{persona.email} could not cancel")


def tell_birthday(persona: Persona, base_url: str, birthday: date) -> None:
    """On the page of their settings, which asks for it once. Safe to repeat."""
    visitor = Visitor(base_url)
    confirm_address(visitor, persona, log_in(visitor, persona))
    form = visitor.open(SETTINGS).form("name", to=SETTINGS)
    if form.has("birthday"):
        visitor.submit(form, birthday=birthday.isoformat())
    if visitor.open(SETTINGS).form("name", to=SETTINGS).has("birthday"):
        raise Unexpected(f"{persona.email} could not tell their birthday")


def spoil_card(persona: Persona, base_url: str) -> None:
    """The bank will refuse their card from now on: at Stripe the subscription gets the test card that can be kept and
    not charged (pm_card_chargeCustomerFail, 4000 0000 0000 0341). Safe to repeat."""
    stripe = StripeByHttp(base_url)
    (customer,) = stripe.get("customers", email=persona.email)
    (subscription,) = stripe.get("subscriptions", customer=customer["id"])
    card = stripe.post(f"payment_methods/{BAD_CARD}/attach", customer=customer["id"])
    stripe.post(f"subscriptions/{subscription['id']}", default_payment_method=card["id"])


def sign_up(visitor: Visitor, persona: Persona) -> Page:
    form = visitor.open("/account/signup/").form("email", "password1", "name")
    return visitor.submit(form, email=persona.email, password1=persona.password, name=persona.name)


def log_in(visitor: Visitor, persona: Persona) -> Page:
    form = visitor.open("/account/login/").form("login", "password")
    return visitor.submit(form, login=persona.email, password=persona.password)


def confirm_address(visitor: Visitor, persona: Persona, page: Page) -> None:
    """Where the page asks for the code that was mailed, give it."""
    asking = [form for form in page.forms if form.has("code")]
    if asking:
        page = visitor.submit(asking[0], code=mailed_code(visitor, persona.email))
    if page.status != 200 or page.path.startswith("/account/"):
        raise Unexpected(f"{persona.email} could not get in: {page.path} ({page.status})")


def mailed_code(visitor: Visitor, email: str) -> str:
    """The newest code that was mailed to `email`, read at /dev/mail."""
    return _until(lambda: _code_to(visitor, email), f"no mail with a code to {email}")


def _code_to(visitor: Visitor, email: str) -> str | None:
    links = [link for link in visitor.open("/dev/mail/").links if re.search(r"/dev/mail/\d+/$", link)]
    for link in links[:20]:
        mail = visitor.open(link)
        if email in mail.text and (found := CODE.search(mail.text)):
            return found.group(1).strip()
    return None


def buy(visitor: Visitor, plan: str) -> Page:
    """From the review page over the local Stripe's payment page and back."""
    return pay(visitor, start_checkout(visitor, plan))


def start_checkout(visitor: Visitor, plan: str) -> Page:
    """From the review page, with every consent given, to the local Stripe's payment page."""
    review = visitor.open(f"/checkout/{plan}/").form(to="/checkout/")
    consents = {name: "on" for name in review.names if name not in review.fields}
    return visitor.submit(review, **consents)


def pay(visitor: Visitor, page: Page, card: str = GOOD_CARD) -> Page:
    """Fill in the payment page; the page of ours that it leads back to."""
    details = {"number": card, "expiry": "12 / 49", "cvc": "123", "name": "Laurel Demo"}
    page = visitor.submit(page.form("number"), **details)
    if page.status != 200 or page.path.startswith("/stripe/"):
        raise Unexpected(f"the payment led to {page.path} ({page.status})")
    return page


def _until[Value](ask: Callable[[], Value | None], problem: str) -> Value:
    deadline = time.monotonic() + MAIL_WAIT
    while not (value := ask()):
        if time.monotonic() > deadline:
            raise Unexpected(problem)
        time.sleep(0.2)
    return value
