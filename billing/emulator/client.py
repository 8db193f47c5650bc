"""The in-process door: an HTTP client for the SDK that asks the local Stripe without a socket.

    stripe.StripeClient("sk_test_local", http_client=InProcessClient(), max_network_retries=2)

One worker can therefore not wait for itself. Both doors end in the same dispatcher.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import stripe
from requests.structures import CaseInsensitiveDict

from billing.emulator import api
from billing.emulator.faults import ConnectionBroken
from billing.emulator.wire import Request

if TYPE_CHECKING:
    from collections.abc import Mapping


class InProcessClient(stripe.HTTPClient):
    name = "local-stripe"

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None, **_: Any
    ) -> tuple[str, int, CaseInsensitiveDict[str]]:
        try:
            answer = api.handle(Request.of(method, url, headers or {}, post_data or ""))
        except ConnectionBroken as broken:
            lost: Exception = stripe.APIConnectionError(  # type: ignore[no-untyped-call]
                "The local Stripe lost the connection.", should_retry=True
            )
            raise lost from broken
        return answer.body, answer.status, CaseInsensitiveDict(answer.headers)

    async def request_async(self, method: str, url: str, headers: Any, post_data: Any = None, **_: Any) -> Any:
        return self.request(method, url, headers, post_data)

    def request_stream(self, *_: Any, **__: Any) -> NoReturn:
        raise NotImplementedError("the local Stripe has no files")

    async def request_stream_async(self, *_: Any, **__: Any) -> NoReturn:
        raise NotImplementedError("the local Stripe has no files")

    async def sleep_async(self, secs: float) -> None:
        return None

    def _sleep_time_seconds(self, num_retries: int, response: Any = None) -> float:
        return 0  # nothing gets better here by waiting

    def close(self) -> None:
        return None

    async def close_async(self) -> None:
        return None
