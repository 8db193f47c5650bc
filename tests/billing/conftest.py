"""A programme on sale at the local Stripe, a person with an account, and the driver that delivers events."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client

from billing import gateway, setup
from billing.emulator import cards as test_cards
from billing.emulator import checkout_pay, delivery, endpoints
from billing.models import CheckoutSession
from billing.webhooks import HANDLERS
from membership import work
from membership.models import Member, Message
from tests import factories

GOOD, DECLINED, THREE_D_SECURE = "4242424242424242", "4000000000000002", "4000000000003220"


@pytest.fixture
def on_sale(db, clock):
    """Bronze, silver and gold by the year, set up at the local Stripe."""
    plans = [factories.plan(f"{tier}-year") for tier in factories.TIERS]
    list(setup.prepare(gateway.client()))
    url = f"{settings.BASE_URL}/webhooks/stripe/"
    endpoints.set_webhook_endpoint(url=url, secret=settings.STRIPE_WEBHOOK_SECRETS[0], events=sorted(HANDLERS))
    return plans


@pytest.fixture
def ada(on_sale) -> Member:
    return factories.member("Ada Lovelace", email="ada@example.org")


@pytest.fixture
def visitor(ada) -> Client:
    """Ada's visitor, logged in."""
    visitor = Client()
    visitor.force_login(ada.user, "allauth.account.auth_backends.AuthenticationBackend")
    return visitor


def go_to_pay(visitor: Client, plan: str = "gold-year", **query: str) -> str:
    """Agree and press the button. -> the address of the pay page."""
    answer = visitor.post(f"/checkout/{plan}/", {"agree": "on"}, query_params=query)
    assert answer.status_code == 302, answer.content.decode()
    return answer["Location"]


def pay(url: str, number: str = GOOD) -> checkout_pay.Outcome:
    """Pay on the page at `url` with a test card; a 3DS step is passed."""
    session_id = urlsplit(url).path.rstrip("/").split("/")[-1]
    entry = checkout_pay.Entry("ada@example.org", "Ada", test_cards.by_number(number), (12, 2030))
    result = checkout_pay.pay(session_id, entry)
    if result.outcome is checkout_pay.Outcome.AUTHENTICATE:
        result = checkout_pay.authenticate(session_id, passed=True)
    return result.outcome


def come_back(visitor: Client):
    """What the pay page does at the end: send the person to our return page."""
    session = CheckoutSession.objects.latest("pk")
    return visitor.get("/checkout/return/", {"session_id": session.stripe_id}, follow=False)


@pytest.fixture
def webhooks(on_sale) -> Callable[..., None]:
    """Deliver what the local Stripe has to tell, through the signed door, and let the worker work it off."""

    def post(url: str, body: bytes, headers: dict[str, str]) -> int:
        sent = {f"HTTP_{k.upper().replace('-', '_')}": v for k, v in headers.items() if k != "Content-Type"}
        answer = Client().post(urlsplit(url).path, body, content_type="application/json", **sent)
        return answer.status_code

    def deliver(mode: str = "in_order", seed: int = 1) -> None:
        delivery.Driver(post).run(mode, seed)
        drain()

    return deliver


def drain() -> None:
    """All that waits and is due, worked off."""
    from billing import inbox
    from membership import clock

    inbox.sweep(at=clock.now())


def mails(kind: str) -> list[Message]:
    return list(Message.objects.filter(kind=kind))


__all__ = ["DECLINED", "GOOD", "THREE_D_SECURE", "come_back", "drain", "go_to_pay", "json", "mails", "pay", "work"]
