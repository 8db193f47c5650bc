"""Who may open what in the console: the matrix of roles and routes, read from the URL resolver."""

from __future__ import annotations

import re

import pytest
from allauth.core.exceptions import ReauthenticationRequired
from django.test import Client
from django.urls import URLResolver, get_resolver, path

from membership.console.access import act, page
from membership.roles import ALLOWS, Permission, Role
from tests import factories
from tests.console import clerks

pytestmark = pytest.mark.django_db
AT = "console/"


def routes(resolver=None, above: str = "") -> dict[str, object]:
    """Address -> view, of everything under /console/, from whichever app."""
    found: dict[str, object] = {}
    for one in (resolver or get_resolver()).url_patterns:
        pattern = above + str(one.pattern)
        if isinstance(one, URLResolver):
            found |= routes(one, pattern)
        elif pattern.startswith(AT):
            found[pattern] = one.callback
    return found


def address(pattern: str, number: str) -> str:
    """Where a route is visited: about one member, and things that need not exist."""
    filled = pattern.replace("<int:number>", number)
    return "/" + re.sub(r"<(\w+):\w+>", lambda m: "1" if m[1] == "int" else "unknown", filled)


def undeclared(views: dict[str, object]) -> list[str]:
    return [pattern for pattern, view in views.items() if not hasattr(view, "permission")]


def open_to_members(client: Client, member) -> list[str]:
    """Console addresses that answer this browser with something other than "there is nothing here"."""
    return [a for p in routes() if client.get(a := address(p, member.number)).status_code != 404]


def test_every_route_declares_the_permission_it_needs():
    assert routes()
    assert undeclared(routes()) == []


def test_twin_a_route_without_one_is_found():
    assert undeclared({"console/new/": lambda request: None}) == ["console/new/"]
    declared = path("console/new/", page(Permission.SEE)(lambda request: None))
    assert undeclared({"console/new/": declared.callback}) == []


def test_visitors_are_led_to_the_log_in():
    member = factories.member()
    answers = [(m, Client().generic(m, address(p, member.number))) for p in routes() for m in ("GET", "POST")]
    assert {answer["Location"].split("?")[0] for _, answer in answers} == {"/account/login/"}


def test_members_learn_nothing(client):
    member = factories.member()
    client.force_login(member.user)
    assert open_to_members(client, member) == []


def test_who_left_is_a_stranger_from_the_next_request_on(clock):
    clerk = clerks.hired("manager")
    desk = clerks.at_desk(clerk)
    assert desk.get("/console/").status_code == 200
    clerk.revoked_at = clock.now
    clerk.save()
    assert desk.get("/console/").status_code == 404


@pytest.mark.parametrize("role", Role.values)
def test_a_role_opens_what_it_may_and_nothing_else(role, clock):
    desk, member = clerks.at_desk(clerks.hired(role)), factories.member()
    for pattern, view in routes().items():
        answer = desk.get(address(pattern, member.number))
        may = view.permission in ALLOWS[role]
        assert (answer.status_code == 403) == (not may), (pattern, answer.status_code)


def test_a_viewer_can_post_nothing(clock):
    desk, member = clerks.at_desk(clerks.hired("viewer")), factories.member()
    answers = {p: desk.post(address(p, member.number)).status_code for p in routes()}
    assert set(answers.values()) <= {403, 405}, answers


def test_who_may_not_is_told_who_may(clock):
    for role, name in (("manager", "Mara Voss"), ("billing", "Tessa Brandt"), ("support", "Vik Rao")):
        clerks.hired(role, name)
    page = clerks.at_desk(clerks.hired("viewer", "Lou Jansen")).get("/console/refunds/1/approve/").content.decode()
    assert "You work here as: Viewer. This is open to: Billing, Manager." in page
    assert "Tessa Brandt (Billing), Mara Voss (Manager)." in page
    assert "Vik Rao" not in page


def test_what_acts_is_never_open_to_who_only_sees():
    assert [p for p, view in routes().items() if view.acts and view.permission in ALLOWS[Role.VIEWER]] == []


def test_a_page_that_only_shows_takes_no_post(clock):
    desk, member = clerks.at_desk(clerks.hired("manager")), factories.member()
    shown = [address(p, member.number) for p, view in routes().items() if not view.acts]
    assert {desk.post(a).status_code for a in shown} == {405}


class TestSecondFactor:
    def test_is_asked_of_who_has_none(self):
        answer = clerks.at_desk(clerks.hired("manager"), proven=False).get("/console/")
        assert (answer.status_code, b"mfa" in answer.content or b"2fa" in answer.content) == (403, True)

    def test_is_asked_of_a_session_that_has_not_shown_it(self):
        clerk = clerks.hired()
        from allauth.mfa.totp.internal.auth import TOTP

        TOTP.activate(clerk.user, "A" * 32)
        answer = clerks.at_desk(clerk, proven=False).get("/console/?q=ada")
        assert answer["Location"] == "/account/2fa/reauthenticate/?next=%2Fconsole%2F%3Fq%3Dada"

    def test_is_not_asked_in_a_demo(self, settings):
        settings.CONSOLE_SECOND_FACTOR = False
        assert clerks.at_desk(clerks.hired(), proven=False).get("/console/").status_code == 200


def test_fresh_acts_ask_once_more(rf, clock):
    clerk = clerks.hired("manager")
    view = act(Permission.REFUND, fresh=True)(lambda request: None)
    request = rf.post("/console/anything/")
    request.user = clerk.user
    request.session = clerks.logged_in(clerk.user, clerks.PROVEN | {"at": 0}).session
    with pytest.raises(ReauthenticationRequired):  # allauth's middleware leads on from here
        view(request)
