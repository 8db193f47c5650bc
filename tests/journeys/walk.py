"""The unbroken walk, without a browser: `python -m tests.journeys.walk BASE_URL API_KEY [EMAIL]`.

Home page, sign up, the mailed code, the payment page, portal, the card's PDF, its QR read and verified; and the shop's
question about free shipping, refused before paying and allowed after. With the EMAIL of an earlier walk: only that this
member is still there.
"""

from __future__ import annotations

import json
import re
import sys
import urllib.request
import uuid
from typing import Any

from membership.bootstrap import personas
from membership.bootstrap.personas import Persona
from membership.bootstrap.visitor import Visitor
from tests import scanner

NAME = "Wilhelmina Ångström-O'Neill"
BASKET = {
    "currency": "EUR",
    "lines": [{"id": "1", "sku": "COAT-9", "quantity": 1, "unit_amount": 12900, "categories": ["coats"], "sale": None}],
    "shipping": {"country": "NL", "method": "standard", "amount": 495},
    "discounts": [],
}


def walk(base_url: str, api_key: str) -> str:
    """All of it, as somebody new; their address. Raises AssertionError or Unexpected at the first surprise."""
    shop, visitor = Shop(base_url, api_key), Visitor(base_url)
    newcomer = Persona("walker", NAME, f"walker.{uuid.uuid4().hex[:12]}@example.com", "gold-year")

    home = visitor.open("/")
    assert home.status == 200
    assert any(link.endswith("/plans/") for link in home.links), "the home page leads to the plans"
    personas.confirm_address(visitor, newcomer, personas.sign_up(visitor, newcomer))

    pay_page = personas.start_checkout(visitor, "gold-year")
    number = member_number(visitor)
    before = shop.free_shipping(number)
    assert (before["allowed"], before["reason"]) == (False, "membership_pending"), before

    personas.pay(visitor, pay_page)
    after = shop.free_shipping(number)
    assert (after["allowed"], after["effect"]["amount_off"]) == (True, 495), after

    assert NAME.split()[0] in visitor.open("/portal/").text
    verified = shop.ask("/api/v1/cards/verify", {"token": qr_code(visitor.fetch("/portal/card.pdf"))})
    assert (verified["valid"], verified["tier"], verified["standing"]) == (True, "gold", "current"), verified
    return newcomer.email


def still_there(base_url: str, api_key: str, email: str) -> None:
    """The member of an earlier walk logs in, and shops still know them."""
    visitor = Visitor(base_url)
    walker = Persona("walker", NAME, email, "gold-year")
    personas.confirm_address(visitor, walker, personas.log_in(visitor, walker))
    assert Shop(base_url, api_key).free_shipping(member_number(visitor))["allowed"]


def member_number(visitor: Visitor) -> str:
    """As the portal shows it, in groups or in one piece."""
    shown = re.search(r'class="number[^"]*">([^<]+)<', visitor.open("/portal/").text)
    assert shown, "the portal shows the member number"
    return re.sub(r"\D", "", shown.group(1))


def qr_code(pdf: bytes) -> str:
    """What a phone reads on the first page of a card."""
    assert pdf.startswith(b"%PDF-")
    text = scanner.scanned(pdf)
    assert text, "the card has a QR code that can be read"
    return text


class Shop:
    """A shop's checkout, which knows the service by its API alone."""

    def __init__(self, base_url: str, api_key: str) -> None:
        self.base_url = base_url
        self.api_key = api_key

    def ask(self, path: str, question: dict[str, Any]) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.api_key}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.base_url + path, json.dumps(question).encode(), headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)  # type: ignore[no-any-return]

    def free_shipping(self, number: str) -> dict[str, Any]:
        """The decision on free shipping for this member and BASKET."""
        (decision,) = self.check(number)["decisions"]
        return decision  # type: ignore[no-any-return]

    def check(self, number: str, basket: dict[str, Any] = BASKET) -> dict[str, Any]:
        """The whole answer about free shipping."""
        return self.ask(
            "/api/v1/perk-checks", {"member": {"number": number}, "basket": basket, "perks": ["free-shipping"]}
        )


def main(base_url: str, api_key: str, email: str | None = None) -> None:
    if email is None:
        print(walk(base_url, api_key))
    else:
        still_there(base_url, api_key, email)


if __name__ == "__main__":
    main(*sys.argv[1:])
