"""Forged webhooks: bit flips, wrong or empty secrets, stale, future, replayed, of the other mode, two megabytes.

Nothing forged is accepted or stored. The twin stores what anybody sends, and fails at its first forgery.
"""

from __future__ import annotations

import json
import random
import time

import pytest
import stripe
from django.conf import settings
from django.test import Client

from billing import gateway
from billing.models import StripeEvent
from billing.views.webhook import MAX_EVENT_BYTES

pytestmark = [pytest.mark.storm, pytest.mark.django_db]
DOOR = "/webhooks/stripe/"
TOLERANCE = stripe.Webhook.DEFAULT_TOLERANCE


class Forger:
    """Makes one forgery a seed: a body and a header that no secret of ours ever signed together, now."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.ways = (
            self.flipped_body,
            self.flipped_signature,
            self.wrong_secret,
            self.empty_secret,
            self.unsigned,
            self.stale,
            self.future,
            self.other_mode,
            self.another_body,
            self.huge,
        )
        self.way = self.rng.choice(self.ways[:-1] if self.rng.random() < 0.95 else self.ways)

    def make(self) -> tuple[bytes, str]:
        return self.way()

    def _event(self, **changes: object) -> bytes:
        number = self.rng.getrandbits(64)
        event = {"id": f"evt_{number}", "object": "event", "type": "invoice.paid", "livemode": False}
        event |= {"data": {"object": {"id": f"in_{number}", "object": "invoice"}}}
        return json.dumps(event | changes).encode()

    def _signed(self, body: bytes, *, secret: str = "", at: float | None = None) -> str:
        secret = secret or settings.STRIPE_WEBHOOK_SECRETS[0]
        made = stripe.WebhookSignature.generate_signature_header(body.decode(), secret, int(at or time.time()))
        return str(made)

    def _flip(self, data: bytes) -> bytes:
        spot = self.rng.randrange(len(data))
        return data[:spot] + bytes([data[spot] ^ (1 << self.rng.randrange(8))]) + data[spot + 1 :]

    def flipped_body(self) -> tuple[bytes, str]:
        body = self._event()
        return self._flip(body), self._signed(body)

    def flipped_signature(self) -> tuple[bytes, str]:
        body = self._event()
        header = self._signed(body)
        at = header.index("v1=") + 3
        return body, header[:at] + self._flip(header[at:].encode()).decode("latin-1")

    def wrong_secret(self) -> tuple[bytes, str]:
        body = self._event()
        return body, self._signed(body, secret=f"whsec_{self.rng.getrandbits(128):032x}")

    def empty_secret(self) -> tuple[bytes, str]:
        body = self._event()
        at = int(time.time())
        return body, f"t={at},v1={stripe.WebhookSignature._compute_signature(f'{at}.{body.decode()}', '')}"

    def unsigned(self) -> tuple[bytes, str]:
        return self._event(), self.rng.choice(["", "t=1", "v1=00", "t=,v1=", "t=x,v1=é", ",,,", "t=1,v0=00"])

    def stale(self) -> tuple[bytes, str]:
        body = self._event()
        return body, self._signed(body, at=time.time() - TOLERANCE - self.rng.randrange(5, 10**6))

    def future(self) -> tuple[bytes, str]:
        body = self._event()
        return body, self._signed(body, at=time.time() + TOLERANCE + self.rng.randrange(60, 10**6))

    def other_mode(self) -> tuple[bytes, str]:
        body = self._event(livemode=self.rng.choice([True, None, "false", 1]))
        return body, self._signed(body)

    def another_body(self) -> tuple[bytes, str]:
        return self._event(), self._signed(self._event())

    def huge(self) -> tuple[bytes, str]:
        body = self._event(padding="x" * self.rng.randrange(MAX_EVENT_BYTES, 4 * MAX_EVENT_BYTES))
        return body, self._signed(body)


def knock(client: Client, body: bytes, header: str) -> int:
    return client.post(DOOR, body, content_type="application/json", HTTP_STRIPE_SIGNATURE=header).status_code


def storm(client: Client, seeds: range) -> None:
    for seed in seeds:
        forger = Forger(seed)
        status = knock(client, *forger.make())
        assert status in (400, 413), f"seed {seed}: {forger.way.__name__} was answered {status}"
        assert not StripeEvent.objects.exists(), f"seed {seed}: {forger.way.__name__} was stored"


def test_no_forgery_is_accepted_or_stored(client, share):
    storm(client, share.seeds(ci=2000, full=2000))


def test_a_replay_of_a_true_event_stores_nothing_more(client, share):
    for seed in share.seeds(ci=200, full=200):
        forger = Forger(seed)
        body = forger._event()
        header = forger._signed(body)
        before = StripeEvent.objects.count()
        assert {knock(client, body, header) for _again in range(forger.rng.randrange(2, 5))} == {200}
        assert StripeEvent.objects.count() == before + 1, f"seed {seed}"


def test_with_the_defense_off_they_are(client, share, monkeypatch):
    monkeypatch.setattr(gateway, "verified_event", lambda payload, header: json.loads(payload))
    with pytest.raises(AssertionError, match="seed"):
        storm(client, share.seeds(ci=2000, full=2000))
