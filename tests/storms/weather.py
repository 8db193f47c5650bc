"""Bad weather between the product and Stripe: errors, lost requests and answers, stalls, answers cut in half.

Only the product's own calls meet it. A stall takes no real time: the gateway's stopwatch is moved on by what the
transport would have waited.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from typing import Any

import pytest
import stripe
from django.conf import settings
from django.test import Client
from requests.structures import CaseInsensitiveDict

from billing import gateway
from billing.emulator.client import InProcessClient

KINDS = ("429", "500", "503", "lost request", "lost answer", "stall", "stall after", "cut in half")


class Weather:
    """`share` of the calls meet one of `kinds`. `calls` and `met` count; `slowest` is the longest page, in seconds."""

    def __init__(self, rng: random.Random, share: float = 0.2, kinds: tuple[str, ...] = KINDS) -> None:
        self.rng, self.share, self.kinds = rng, share, kinds
        self.calls = self.met = 0
        self.now = self.slowest = 0.0

    @contextlib.contextmanager
    def blows(self) -> Iterator[None]:
        calm = InProcessClient.request

        def request(client: Any, method: str, url: str, headers: Any, post_data: Any = None, **more: Any) -> Any:
            def answer() -> Any:
                return calm(client, method, url, headers, post_data, **more)

            ours = settings.STRIPE_SECRET_KEY in str((headers or {}).get("Authorization"))
            return self._through(answer) if ours else answer()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(InProcessClient, "request", request)
            patch.setattr(gateway, "monotonic", lambda: self.now)
            yield

    def _through(self, answer: Any) -> Any:
        self.calls += 1
        if self.rng.random() >= self.share:
            return answer()
        self.met += 1
        kind = self.rng.choice(self.kinds)
        if kind.isdecimal():
            error = {"error": {"type": "api_error", "message": "An unknown error occurred."}}
            return str(error).replace("'", '"'), int(kind), CaseInsensitiveDict({"Request-Id": "req_storm"})
        if kind in {"lost answer", "stall after", "cut in half"}:
            body, status, headers = answer()
            if kind == "cut in half":
                return body[: len(body) // 2], status, headers
        if "stall" in kind:
            self.now += gateway.TIMEOUTS[gateway._patience.get()][0]
        raise stripe.APIConnectionError("The connection broke.", should_retry=True)

    def person(self) -> Client:
        """A browser whose waits are measured by the same stopwatch."""
        weather = self

        class Waits(Client):
            def request(self, **request: Any) -> Any:
                began = weather.now
                answer = super().request(**request)
                weather.slowest = max(weather.slowest, weather.now - began)
                return answer

        return Waits()
