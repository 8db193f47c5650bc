"""The shop's calls to the perk API, over HTTP as any shop's would be, and what came back."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
from django.conf import settings
from django.utils.translation import get_language

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 5


@dataclass(frozen=True)
class Exchange:
    """One call: what was sent, what came back, or why nothing did."""

    line: str
    request: str
    status: int | None
    answer: Any
    trouble: str = ""

    @property
    def ok(self) -> bool:
        return self.status == 200

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


@dataclass
class Till:
    """Asks, and keeps every exchange in `calls` to be shown."""

    key: str
    calls: list[Exchange] = field(default_factory=list)

    def newest_first(self) -> list[Exchange]:
        return list(reversed(self.calls))

    def member(self, number: str) -> Exchange:
        return self._ask("GET", f"/members/{urllib.parse.quote(number, safe='')}")

    def sales(self, number: str) -> Exchange:
        """The sales and when they open for this member; for the public when nobody has this number."""
        if number:
            told = self._ask("GET", f"/sales?{urllib.parse.urlencode({'member': number})}")
            if told.status != 404:
                return told
        return self._ask("GET", "/sales")

    def check(self, question: dict[str, Any]) -> Exchange:
        return self._ask("POST", "/perk-checks", question)

    def hold(self, *, check: str, order: str, perks: list[str]) -> Exchange:
        body = {"check": check, "order": order, "perks": perks}
        return self._ask("POST", "/redemptions", body, key=f"hold-{order}")

    def commit(self, redemption: str) -> Exchange:
        return self._ask("POST", f"/redemptions/{redemption}/commit", {})

    def give_back(self, redemption: str, lines: dict[str, int], *, key: str) -> Exchange:
        body = {"lines": [{"id": line, "quantity": pieces} for line, pieces in lines.items()]}
        return self._ask("POST", f"/redemptions/{redemption}/return", body, key=key)

    def _ask(self, verb: str, path: str, body: dict[str, Any] | None = None, *, key: str = "") -> Exchange:
        sent = json.dumps(body, indent=2, ensure_ascii=False) if body else ""
        self.calls.append(_exchange(verb, path, sent, self.key, {"Idempotency-Key": key} if key else {}))
        return self.calls[-1]


def _exchange(verb: str, path: str, body: str, key: str, headers: dict[str, str]) -> Exchange:
    """Ask as any shop would: with a key, a language and a timeout."""
    line = f"{verb} /api/v1{path}"
    call = urllib.request.Request(  # noqa: S310 (our own address, from the settings)
        f"{settings.BASE_URL}/api/v1{path}",
        data=body.encode() if body else (b"" if verb == "POST" else None),
        method=verb,
        headers={
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/json",
            "Accept-Language": get_language() or "en",
            **headers,
        },
    )
    try:
        with urllib.request.urlopen(call, timeout=SECONDS) as response:  # noqa: S310
            return Exchange(line, body, response.status, orjson.loads(response.read()))
    except urllib.error.HTTPError as error:
        with error:
            return Exchange(line, body, error.code, _told(error.read()))
    except OSError as error:  # refused, timed out, no such host
        return Exchange(line, body, None, {}, str(getattr(error, "reason", error)))


def _told(body: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(body)
    except ValueError:
        return {"detail": body[:500].decode(errors="replace")}
    return found if isinstance(found, dict) else {"detail": found}
