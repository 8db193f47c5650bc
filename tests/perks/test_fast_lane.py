"""The fast lane says what the route says, to the byte; and what it does not answer itself goes on to the route."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from django.test import Client, RequestFactory

from perks import decisions, fresh, keys, sentences
from perks.fast_lane import FastLane
from perks.models import ApiKey, Decision
from tests.perks.conftest import Shop, basket, number
from tests.perks.test_every_reason import Scene

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PATH = "/api/v1/perk-checks"
PASSED_ON = b"passed on"


def nobody(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Stands where Django's handler does, and hands back the body that it was left."""
    start_response("299 Passed on", [])
    return [PASSED_ON, environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))]


def send(application: Any, body: bytes, *, method: str = "POST", **headers: str) -> SimpleNamespace:
    request = RequestFactory().generic(method, PATH, body, content_type="application/json", headers=headers)
    told: list[Any] = []
    answer = b"".join(application(request.environ, lambda status, found: told.extend([status, dict(found)])))
    return SimpleNamespace(status=told[0], headers=told[1], body=answer)


class BothWays(Shop):
    """A shop whose every perk check is asked on the route and on the fast lane, and is the same."""

    compared = 0

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        response = super().call(method, path, body, **headers)
        if path == "/perk-checks" and response.status_code == 200:
            self.compare(response, body, headers)
        return response

    def compare(self, response: Any, body: Any, headers: dict[str, str]) -> None:
        sent = {"Authorization": f"Bearer {self.key}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        lane = send(FastLane(nobody), orjson.dumps(body), **sent)
        if lane.status.startswith("299"):
            return
        self.compared += 1
        answers = [orjson.loads(response.content), orjson.loads(lane.body)]
        assert [len(answer.pop("id")) for answer in answers] == [26, 26]
        assert answers[0] == answers[1]
        assert list(answers[0]) == list(answers[1])
        assert dict(response.headers) == lane.headers


@pytest.fixture
def shop(shop, monkeypatch):
    """Keys stay fresh however slow the machine is."""
    monkeypatch.setattr(fresh, "SECONDS", 3600)
    return BothWays(shop.client, shop.key)


@pytest.fixture
def asked(shop, joined):
    """A question, its bytes; the shop's key is fresh."""
    question = {"member": number(joined()), "basket": basket()}
    shop.check(**question)
    return orjson.dumps(question)


@pytest.mark.parametrize("reason", [sentences.GRANTED, *sentences.REFUSALS])
def test_gives_every_reason_as_the_route_does(reason, shop, joined, clock):
    fresh.forget_all()
    assert getattr(Scene(shop, joined, clock), reason)() == reason
    assert shop.compared or reason == "email_unconfirmed"  # an address needs one more scope: for the route


@pytest.mark.parametrize("language", ["", "de", "de-AT, en;q=0.5", "xx"])
def test_speaks_the_language_that_the_route_speaks(language, shop, joined):
    shop.call("POST", "/perk-checks", {"member": number(joined()), "basket": basket()}, Accept_Language=language)
    assert shop.compared == 1


def test_tells_non_members_what_joining_would_save_as_the_route_does(shop, laurel):
    shop.check(member={"number": "1"}, basket=basket(), if_joined="gold-year")
    shop.check(member={"number": "1"}, basket=basket())
    assert shop.compared == 2


class TestHandsOn:
    """Whatever is not a plain 200 goes to the route, with its body."""

    def on(self, asked: bytes, **headers: str) -> bool:
        answer = send(FastLane(nobody), asked, **headers)
        assert not answer.status.startswith("299") or answer.body == PASSED_ON + asked
        return answer.status.startswith("299")

    def test_nothing_of_a_plain_check(self, shop, asked):
        assert not self.on(asked, Authorization=f"Bearer {shop.key}")

    @pytest.mark.parametrize(
        "body",
        [
            *(b"", b"{", b"[]", b"\xff", b"NaN", b'{"member": null}', b'{"member": {"number": "1"}, "basked": {}}'),
            b'{"member": {"email": "ada@example.org"}}',
            b'{"member": {"number": "1"}, "if_joined": "no-such-plan"}',
            b'{"member": {"number": "' + b"1" * 600_000 + b'"}}',
        ],
        ids=lambda body: body[:30].decode(errors="replace"),
    )
    def test_what_is_refused_or_needs_more_than_the_scope(self, body, shop, asked):
        assert self.on(body, Authorization=f"Bearer {shop.key}")

    def test_other_moments_other_methods_and_keys_that_are_no_good(self, shop, asked, clock):
        key = f"Bearer {shop.key}"
        assert self.on(asked, Authorization=key, X_Member_Clock="2026-12-24T18:00:00Z")
        assert self.on(asked, Authorization="")
        assert self.on(asked, Authorization=f"Basic {shop.key}")
        assert self.on(asked, Authorization="Bearer vip_test_abcdefgh_" + "A" * 43)
        assert send(FastLane(nobody), b"", method="GET", Authorization=key).status.startswith("299")
        other = keys.create(shop_name="Other", scopes=["members:read"], at=clock.now, actor="test")
        Shop(shop.client, other).call("GET", "/members/1")
        assert self.on(asked, Authorization=f"Bearer {other}")

    def test_a_key_that_was_not_looked_up_within_the_last_second(self, shop, asked, monkeypatch):
        monkeypatch.setattr(fresh, "SECONDS", 0)
        assert self.on(asked, Authorization=f"Bearer {shop.key}")

    def test_what_came_without_tls_in_production(self, shop, asked, settings):
        settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
        settings.SECURE_HSTS_SECONDS = 60
        assert self.on(asked, Authorization=f"Bearer {shop.key}")
        new = BothWays(Client(), shop.key)  # its middleware reads the settings as they are now
        answer = new.call("POST", "/perk-checks", orjson.loads(asked), X_Forwarded_Proto="https")
        assert answer.headers["Strict-Transport-Security"] == "max-age=60"
        assert new.compared == 1

    def test_what_it_stumbles_over_and_says_so(self, shop, asked, monkeypatch, caplog):
        monkeypatch.setattr("perks.checks.answer", lambda **_: 1 / 0)
        assert self.on(asked, Authorization=f"Bearer {shop.key}")
        assert "the fast lane failed" in caplog.text


def test_keeps_what_it_decided_and_when_the_key_was_used(shop, asked, clock):
    decisions.flush()
    answer = send(FastLane(nobody), asked, Authorization=f"Bearer {shop.key}")
    clock.move(seconds=5)
    send(FastLane(nobody), asked, Authorization=f"Bearer {shop.key}")
    decisions.flush()
    kept = Decision.objects.get(pk=orjson.loads(answer.body)["id"])
    assert (kept.question.encode(), kept.answer.encode()) == (asked, answer.body)
    assert ApiKey.objects.get().last_used_at == clock.now
