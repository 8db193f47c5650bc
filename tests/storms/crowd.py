"""Many people at the door of a running installation, several at once, and what they met there."""

from __future__ import annotations

import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from membership.bootstrap import personas
from membership.bootstrap.visitor import Page, Unexpected, Visitor

# An address for each visitor, and time to start on a machine that does much else.
PLACE: dict[str, Any] = {"TRUSTED_PROXIES": "1", "prepared": 300.0, "answering": 300.0}
LONG = 300.0  # seconds a command may take there


class Person(Visitor):
    """A visitor from an address of their own, who notes how long the slowest page took."""

    def __init__(self, base_url: str, number: int) -> None:
        super().__init__(base_url)
        self.opener.addheaders.append(("X-Forwarded-For", f"10.1.{number // 250}.{number % 250 + 1}"))
        self.persona = personas.Persona("none", f"Person {number}", f"person{number}@example.com", None)
        self.slowest = 0.0

    def _ask(self, url: str, data: bytes | None = None) -> Page:
        began = time.monotonic()
        page = super()._ask(url, data)
        self.slowest = max(self.slowest, time.monotonic() - began)
        if page.status >= 400:
            raise Unexpected(f"{page.path} answered {page.status}")
        return page


@dataclass
class Crowd:
    """What many people met at the door: how many were served, what went wrong, how long the slowest page took."""

    served: list[int] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    slowest: float = 0.0

    def come(self, numbers: list[int], serve: Callable[[int], Person], *, at_once: int, stop_at_error: bool) -> None:
        """Serve them, several at once."""
        waiting = iter(numbers)
        lock = threading.Lock()

        def queue() -> None:
            while not (stop_at_error and self.errors):
                with lock:
                    number = next(waiting, None)
                if number is None:
                    return
                try:
                    person = serve(number)
                except (Unexpected, OSError, AssertionError) as problem:
                    self.errors.append(f"{number}: {problem!r}")
                else:
                    self.served.append(number)
                    self.slowest = max(self.slowest, person.slowest)

        threads = [threading.Thread(target=queue) for _ in range(at_once)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def post(url: str, body: bytes, headers: dict[str, str]) -> int:
    """-> the HTTP status; 0: nobody answered."""
    request = urllib.request.Request(url, body, headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=15) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return 0
