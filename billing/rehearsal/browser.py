"""A person's browser inside this process: the house's own pages, forms, cookies and tokens, without a socket."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.test import Client

from membership.bootstrap.visitor import Page, Visitor, read

if TYPE_CHECKING:
    from django.http import HttpResponseBase

REDIRECTS, MOST = (301, 302, 303, 307), 9


class Browser(Visitor):
    """Opens and submits as any Visitor does. A redirect to a path in `never` is not followed: the tab was closed."""

    def __init__(self, number: int) -> None:
        self.base_url = settings.BASE_URL  # and no opener of sockets, which is slow to make
        self.never: set[str] = set()
        address = f"10.{number // 65536 % 256}.{number // 256 % 256}.{number % 256}"  # sign-ups are counted by address
        headers = {"host": urlsplit(settings.BASE_URL).netloc, "accept-language": "en"}
        self.client = Client(enforce_csrf_checks=True, headers=headers, REMOTE_ADDR=address)

    def _ask(self, url: str, data: bytes | None = None) -> Page:
        answer = self._send(url, data)
        for _hop in range(MOST):
            if answer.status_code not in REDIRECTS:
                break
            url = urljoin(url, answer.headers["Location"])
            if urlsplit(url).path in self.never:
                break
            answer = self._send(url)
        return read(url, answer.status_code, answer.text if hasattr(answer, "text") else "")

    def _send(self, url: str, data: bytes | None = None) -> HttpResponseBase:
        parts = urlsplit(url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        if data is None:
            return self.client.get(path)
        return self.client.post(path, data, content_type="application/x-www-form-urlencoded")
