"""The shop's calls to the perk API: by the client that every shop may use (perks/client), over HTTP, each try shown."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson
from django.conf import settings
from django.utils.translation import get_language

from membership import clock
from perks.client import Client, HttpTransport, LineBack, MemberIn, Memory, NotFound, PerkApiError
from perks.client import Exchange as Tried

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from perks.client import Basket, Decided, RedemptionOut
    from perks.client.models import MemberDetail, SaleOut

SECONDS = 5.0  # more than a shop would wait: the demo's machine is everything at once
CATALOGUE = "list_perks"


@dataclass(frozen=True)
class Exchange:
    """One try of a call: what was sent, what came back, or why nothing did."""

    line: str
    request: str
    status: int | None
    answer: Any
    trouble: str = ""

    @property
    def shown(self) -> str:
        return json.dumps(self.answer, indent=2, ensure_ascii=False)

    def kept(self) -> dict[str, Any]:
        """For the session."""
        return {"line": self.line, "request": self.request, "status": self.status, "answer": self.answer}


def facts() -> dict[str, Any]:
    """demo.json: the key and the personas, read where every script reads them."""
    path: Path = settings.VIP_DATA / "demo.json"
    try:
        found: dict[str, Any] = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    return found


@lru_cache(maxsize=4)
def _memory(key: str) -> Memory:
    """What this process falls back on while the API is away; the pages of all shoppers share it."""
    return Memory()


class Till:
    """Asks for one page, and keeps every exchange in `calls` to be shown. `trouble`: the first call that failed."""

    def __init__(self, key: str) -> None:
        self.calls: list[Exchange] = []
        self.trouble: PerkApiError | None = None
        # No connection is kept: shop and API are one program here, which could not end while it waits for itself.
        self.client = Client(
            settings.BASE_URL,
            key,
            seconds=SECONDS,
            changing_seconds=SECONDS,
            language=get_language() or "en",
            on_exchange=self._heard,
            memory=_memory(key),
            transport=HttpTransport(settings.BASE_URL, keep=0),
            now=clock.now,
        )

    def newest_first(self) -> list[Exchange]:
        return list(reversed(self.calls))

    def member(self, number: str) -> MemberDetail | None:
        """None: nobody has this number, or there is trouble."""
        return self._told(lambda: self.client.get_member(number), nobody=True)

    def sales(self, number: str) -> list[SaleOut] | None:
        """The sales and when they open for this member; for the public when nobody has this number."""
        own = self._told(lambda: self.client.list_sales(member=number), nobody=True) if number else None
        return self._told(self.client.list_sales) if own is None and self.trouble is None else own

    def decide(self, *, number: str, if_joined: str, basket: Basket) -> Decided | None:
        """What this member may get on the basket; for a guest, what they would, had they joined with that plan."""
        if not number:
            return self._told(lambda: self.client.decide(if_joined=if_joined, basket=basket, channel="web"))
        member = MemberIn(number=number)
        return self._told(lambda: self.client.decide(member=member, basket=basket, channel="web"))

    def hold(self, *, check: str, order: str, perks: list[str]) -> RedemptionOut | None:
        key = f"hold-{order}"
        return self._told(lambda: self.client.hold_perks(check=check, order=order, perks=perks, idempotency_key=key))

    def commit(self, redemption: str) -> RedemptionOut | None:
        return self._told(lambda: self.client.commit_redemption(redemption))

    def give_back(self, redemption: str, lines: dict[str, int], *, key: str) -> RedemptionOut | None:
        back = [LineBack(id=line, quantity=pieces) for line, pieces in lines.items()]
        return self._told(lambda: self.client.return_redemption(redemption, lines=back, idempotency_key=key))

    def _told[T](self, ask: Callable[[], T], *, nobody: bool = False) -> T | None:
        """None where it failed; that there is nobody is no trouble where that may be."""
        try:
            return ask()
        except PerkApiError as error:
            if not (nobody and isinstance(error, NotFound)):
                self.trouble = self.trouble or error
            return None

    def _heard(self, tried: Tried) -> None:
        sent = json.dumps(tried.body, indent=2, ensure_ascii=False) if tried.body else ""
        answer = {"detail": tried.trouble} if tried.answer is None else tried.answer
        told = Exchange(f"{tried.method} {tried.target}", sent, tried.status, answer, tried.trouble)
        self.calls.insert(0 if tried.operation == CATALOGUE else len(self.calls), told)  # it is not about the shopper
