"""What other test packages need of the local Stripe: somebody who pays, and a post office that brings events.

    url = pay(client, session_url)                        # posts the hosted page's own form; passes 3DS
    delivery.Driver(post_to(client)).run("shuffled", 7)   # brings what happened to the product's webhook

Every exchange and every event is held against the SDK's types while tests run (settings.LOCAL_STRIPE["CHECK"]), at
both doors, so no wrapper is needed for that; see `faults` for errors on demand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from billing.emulator import payment_methods, store, timeline

if TYPE_CHECKING:
    from django.test import Client

    from billing.emulator.delivery import Post

GOOD, DECLINED, THREE_DS = "4242424242424242", "4000000000000002", "4000002500003155"
EMPTY, LOST, THREE_DS_ALWAYS = "4000000000009995", "4000000000009987", "4000002760003184"


def pay(client: Client, session_url: str, *, number: str = GOOD, code: str = "", **typed: str) -> str:
    """Pay on the hosted page; where it leads, or "" when the page says no. `typed` fills further fields."""
    page = urlsplit(session_url).path
    if code:
        client.post(page, {"code": code, "apply": "1"})
    form = {"number": number, "expiry": "12 / 49", "cvc": "123", "name": "Ada Byron", "pay": "1"} | typed
    answer = client.post(page, form)
    if answer.status_code == 302 and "/3ds/" in answer["Location"]:
        answer = client.post(urlsplit(answer["Location"]).path, {"complete": "1"})
    if answer.status_code != 302 or page in answer["Location"]:
        return ""
    return str(answer["Location"])


def turn_cards(customer: str, number: str) -> None:
    """From now on all cards of this customer (its Stripe id) behave as the test card of this number.

    LOST and EMPTY cannot be attached, so this is how a card that has paid fails at the renewal.
    """
    timeline.catch_up()  # what was due until now met the card as it was
    for card in store.of("payment_method", customer=customer):
        payment_methods.turn_into(card, number)


def post_to(client: Client) -> Post:
    """Events go to the product's own URL through the test client."""

    def post(url: str, body: bytes, headers: dict[str, str], /) -> int:
        kept = {name: value for name, value in headers.items() if name != "Content-Type"}
        return client.post(urlsplit(url).path, body, content_type="application/json", headers=kept).status_code

    return post
