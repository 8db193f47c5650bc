"""A programme on sale at the local Stripe, a person with an account, and the driver that delivers events."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from http.cookies import SimpleCookie
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client

from billing import gateway, setup, tasks
from billing.emulator import cards as test_cards
from billing.emulator import checkout_pay, delivery, endpoints, timeline
from billing.models import CheckoutSession, Subscription
from billing.webhooks import HANDLERS
from membership import tasks as mail_tasks
from membership import work
from membership.models import Member, Membership, Message, Plan, Term
from tests import factories
from tests.emulator import people
from tests.remembered import remembered

GOOD, DECLINED, THREE_D_SECURE = "4242424242424242", "4000000000000002", "4000000000003220"
FAILS = "4000000000000341"  # can be kept, and every charge on it is declined
HOUR_AND_A_BIT = timedelta(minutes=61)  # after a term's end: the draft hour is over, the card was asked


def put_on_sale() -> None:
    for tier in factories.TIERS:
        factories.plan(f"{tier}-year")
    list(setup.prepare(gateway.client()))
    url = f"{settings.BASE_URL}/webhooks/stripe/"
    endpoints.set_webhook_endpoint(url=url, secret=settings.STRIPE_WEBHOOK_SECRETS[0], events=sorted(HANDLERS))


@pytest.fixture
def on_sale(db, clock) -> list[Plan]:
    """Bronze, silver and gold by the year, set up at the local Stripe."""
    remembered("on sale", put_on_sale, clock=clock)
    return list(Plan.objects.order_by("pk"))


@pytest.fixture
def ada(on_sale, clock) -> Member:
    member = remembered("ada", lambda: factories.member("Ada Lovelace", email="ada@example.org").pk, clock=clock)
    return Member.objects.select_related("user").get(pk=member)


@pytest.fixture
def visitor(ada, clock) -> Client:
    """Ada's visitor, logged in."""
    visitor = Client()

    def logs_in() -> SimpleCookie:
        visitor.force_login(ada.user, "allauth.account.auth_backends.AuthenticationBackend")
        return visitor.cookies

    visitor.cookies = remembered("logs in", logs_in, clock=clock)
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


def joins(visitor: Client) -> None:
    pay(go_to_pay(visitor))
    come_back(visitor)


@pytest.fixture
def joined(visitor, clock) -> Client:
    """Ada's visitor, a gold member since this moment."""
    remembered("joins", lambda: joins(visitor), clock=clock)
    return visitor


def renews_at() -> datetime:
    """The end of the first term."""
    return Term.objects.order_by("ends_at").values_list("ends_at", flat=True)[0]


@pytest.fixture
def live(clock, webhooks):
    """Live on until a moment: Stripe does what is due, its events come (in `mode`), the sweeps run."""

    def until(moment: datetime, mode: str = "in_order", *, mail: bool = True) -> None:
        clock.move_to(moment)
        timeline.catch_up()
        webhooks(mode)
        tasks.send_notices()
        tasks.end_unpaid()
        webhooks(mode)
        if mail:
            mail_tasks.send_messages()

    return until


@pytest.fixture
def fails(joined, live, clock):
    """Ada's card fails at the renewal as the card of this number does."""

    def work(number: str = FAILS, *, mail: bool = True) -> None:
        people.turn_cards(Membership.objects.get().member.customer.stripe_id, number)
        live(renews_at() + HOUR_AND_A_BIT, mail=mail)

    def work_once(number: str = FAILS, *, mail: bool = True) -> None:
        remembered(f"fails {number} {mail}", lambda: work(number, mail=mail), clock=clock)

    return work_once


def drain() -> None:
    """All that waits and is due, worked off."""
    from billing import inbox
    from membership import clock

    inbox.sweep(at=clock.now())


def mails(kind: str) -> list[Message]:
    return list(Message.objects.filter(kind=kind))


def spoil_the_card() -> None:
    """From now on every charge of the member's card fails."""
    stripe, subscription = gateway.client().v1, Subscription.objects.get().stripe_id
    customer = stripe.subscriptions.retrieve(subscription).customer
    card = stripe.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": str(customer)})
    stripe.subscriptions.update(subscription, {"default_payment_method": card.id})


def half_way_through(visitor: Client, clock, plan: str) -> Client:
    """Who joins now and has half of the year behind them."""
    pay(go_to_pay(visitor, plan))
    come_back(visitor)
    clock.move(hours=365 * 12)
    return visitor


@pytest.fixture
def silver(visitor, clock) -> Client:
    """Ada, half way through a year of silver (€ 59)."""
    return half_way_through(visitor, clock, "silver-year")


__all__ = ["DECLINED", "GOOD", "THREE_D_SECURE", "come_back", "drain", "go_to_pay", "json", "mails", "pay", "work"]
