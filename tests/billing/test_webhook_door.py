"""Stripe's door: what is let in, what is not, and that what is not leaves no trace."""

from __future__ import annotations

import json
import time

import pytest
import stripe
from django.conf import settings

from billing.models import StripeEvent

pytestmark = pytest.mark.django_db

DOOR = "/webhooks/stripe/"


def an_event(**changes) -> bytes:
    event = {
        "id": "evt_1",
        "object": "event",
        "type": "product.created",
        "livemode": False,
        "created": int(time.time()),
        "data": {"object": {"id": "prod_1", "object": "product"}},
    }
    return json.dumps(event | changes).encode()


def signed(payload: bytes, *, secret: str = "", at: float | None = None) -> dict[str, str]:
    secret = secret or settings.STRIPE_WEBHOOK_SECRETS[0]
    timestamp = int(at or time.time())
    header = stripe.WebhookSignature.generate_signature_header(payload.decode(), secret, timestamp)
    return {"HTTP_STRIPE_SIGNATURE": header}


def knock(client, payload: bytes, headers: dict[str, str]):
    return client.post(DOOR, payload, content_type="application/json", **headers)


class TestWhatIsLetIn:
    def test_a_signed_event_is_stored_once_however_often_it_comes(self, client):
        payload = an_event()
        for _again in range(3):
            assert knock(client, payload, signed(payload)).status_code == 200
        assert StripeEvent.objects.get().type == "product.created"

    def test_either_secret_fits_while_one_is_rotated(self, client, settings):
        settings.STRIPE_WEBHOOK_SECRETS = ["whsec_new", "whsec_old"]
        payload = an_event()
        assert knock(client, payload, signed(payload, secret="whsec_old")).status_code == 200


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        "forge",
        [
            lambda p: (p, {}),
            lambda p: (p, {"HTTP_STRIPE_SIGNATURE": ""}),
            lambda p: (p, {"HTTP_STRIPE_SIGNATURE": "t=abc,v1=00"}),
            lambda p: (p, {"HTTP_STRIPE_SIGNATURE": "t=1,v1=é"}),
            lambda p: (p, signed(p, secret="whsec_other")),
            lambda p: (p.replace(b"prod_1", b"prod_2"), signed(p)),
            lambda p: (p, signed(p, at=time.time() - 301)),
            lambda p: (p, signed(p, at=time.time() + 310)),
            lambda p: (an_event(livemode=True), signed(an_event(livemode=True))),
            lambda p: (b"not json", signed(b"not json")),
        ],
        ids=[
            "unsigned",
            "empty",
            "garbled",
            "not ascii",
            "other secret",
            "changed",
            "stale",
            "future",
            "livemode",
            "no json",
        ],
    )
    def test_leaves_no_row(self, client, forge):
        payload, headers = forge(an_event())
        assert knock(client, payload, headers).status_code == 400
        assert not StripeEvent.objects.exists()

    def test_two_megabytes_are_too_much(self, client):
        payload = an_event(padding="x" * 2_000_000)
        assert knock(client, payload, signed(payload)).status_code == 413
        assert not StripeEvent.objects.exists()

    def test_a_get_is_not_an_event(self, client):
        assert client.get(DOOR).status_code == 405
