"""A gold member at the portal and a clerk at the desk; the clock stands on a Monday at 11:00 in Amsterdam."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from perks.models import ConciergeRequest
from tests.console import clerks
from tests.perks.conftest import joined, laurel  # noqa: F401

if TYPE_CHECKING:
    from membership.models import Member


class Person:
    """A member's browser."""

    def __init__(self, member: Member) -> None:
        self.member, self.client = member, Client()
        self.client.force_login(member.user, clerks.BACKEND)

    def page(self, path: str = "/portal/concierge/", status: int = 200) -> str:
        answer = self.client.get(path)
        assert answer.status_code == status, (path, answer.status_code)
        return plain(answer)

    def send(self, path: str = "/portal/concierge/", **values: Any):
        """Fill in the form of a page as a browser does, hidden fields and all."""
        hidden = dict(re.findall(r'<input type="hidden" name="(once)" value="([^"]*)"', self.page(path)))
        return self.client.post(path, hidden | values)

    def ask(self, subject: str = "A coat for Vienna", **values: Any) -> ConciergeRequest:
        answer = self.send(subject=subject, text=values.pop("text", "Size 40, please."), **values)
        assert answer.status_code == 302, plain(answer)
        return ConciergeRequest.objects.latest("pk")

    def write(self, request: ConciergeRequest, text: str, **values: Any):
        return self.send(f"/portal/concierge/{request.ident}/", text=text, **values)


class Desk:
    """A clerk's browser."""

    def __init__(self, role: str = "support", name: str = "Vik Rao") -> None:
        self.clerk = clerks.hired(role, name)
        self.client = clerks.at_desk(self.clerk)

    def page(self, path: str = "/console/concierge/") -> str:
        answer = self.client.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return plain(answer)

    def do(self, request: ConciergeRequest, act: str, **values: Any):
        return self.client.post(f"/console/concierge/{request.pk}/{act}/", values)

    def answer(self, request: ConciergeRequest, text: str = "It is put aside.", once: str = "one"):
        return self.do(request, "answer", text=text, once=once)

    def look_at_closing(self, request: ConciergeRequest, **values: Any):
        return self.do(
            request, "close", **({"counts": "yes", "worth": "40", "cost": "12.50", "words": "done"} | values)
        )

    def close(self, request: ConciergeRequest, **values: Any):
        page = self.look_at_closing(request, **values)
        sent = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.content.decode()))
        return self.do(request, "close", **{name: html.unescape(value) for name, value in sent.items()})


def plain(answer) -> str:
    return html.unescape(answer.content.decode()).replace("\u00a0", " ")


@pytest.fixture
def ada(joined):  # noqa: F811
    return Person(joined("gold-year").member)


@pytest.fixture
def desk(ada):
    return Desk()
