"""What a browser without JavaScript types into the local Stripe's pages, and reads there."""

from __future__ import annotations

CARD = {"number": "4242 4242 4242 4242", "expiry": "12 / 34", "cvc": "123", "name": "Ada Byron", "pay": "1"}
NBSP = "\N{NO-BREAK SPACE}"


def address(session):
    return "/stripe" + session.url.split("/stripe", 1)[1]


def card(number):
    return CARD | {"number": number}


def text(answer):
    return answer.content.decode().replace("&#x27;", "'")


def at(session, rest=""):
    return "/stripe" + session.url.split("/stripe", 1)[1] + rest


def cancel_page(session, bought):
    return at(session, f"/cancel/{bought.subscription.id}")
