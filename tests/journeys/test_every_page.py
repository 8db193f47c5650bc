"""Every page that the resolver knows, as everybody sees it: axe, the content policy, links, phones; none left out.

The walk takes each route as each role; what was wrong is told by address. The detectors themselves are tested at the
end of this file with planted faults.
"""

from __future__ import annotations

from functools import cached_property
from http import HTTPStatus

import pytest
from django.contrib.auth.models import AnonymousUser
from django.shortcuts import render

from membership.views import errors
from tests.journeys import routes
from tests.journeys.cast import ROLES, Cast
from tests.journeys.looks import PATIENCE, Findings, Inspector, Look
from tests.journeys.routes import TABLE, Document, Elsewhere, Entry, Page, PostOnly

NOT_FOR_GET = HTTPStatus.METHOD_NOT_ALLOWED
HALF_WAY = tuple(dict.fromkeys(name for entry in TABLE.values() for name in entry.by))


class Tour:
    """Who saw what, each role's part made when first asked for."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.seen: dict[str, dict[str, list[Look]]] = {}
        self.known: dict[str, Findings] = {}

    @cached_property
    def routes(self) -> dict[str, str]:
        return routes.of(self.cast.demo)

    def of(self, who: str) -> dict[str, list[Look]]:
        """Route to what this person got there."""
        if who not in self.seen:
            facts, person = self.cast.facts, self.cast.named(who)
            with Inspector(who, person, self.known) as inspector:
                self.seen[who] = {
                    name: [inspector.look(address) for address in routes.addresses(pattern, TABLE[name], facts)]
                    for name, pattern in self.routes.items()
                    if name in TABLE and (who in ROLES or who in TABLE[name].by)
                }
        return self.seen[who]

    def all(self) -> dict[str, list[Look]]:
        """Route to what everybody got there."""
        found: dict[str, list[Look]] = {name: [] for name in self.routes}
        for who in (*ROLES, *HALF_WAY):
            for name, looks in self.of(who).items():
                found[name] += looks
        return found


@pytest.fixture(scope="module")
def cast(browser, demo):
    people = Cast(browser, demo)
    yield people
    people.leave()


@pytest.fixture(scope="module")
def tour(cast):
    return Tour(cast)


def misunderstood(entry: Entry, looks: list[Look]) -> str:
    """Why what came is not what the table says about the route; empty when it is."""
    match entry:
        case Page() if not any(look.is_page for look in looks):
            return "nobody got a page with status 200"
        case Document() if any(look.is_page for look in looks):
            return "it is a page after all"
        case Document() if all(look.html for look in looks):
            return "nobody got the document"
        case Elsewhere() if {bool(look.led_to) for look in looks if not entry.by or look.who in entry.by} != {True}:
            return "it does not lead on for everybody who may be there"
        case PostOnly() if {look.status for look in looks if look.led_to != "/account/login/"} != {NOT_FOR_GET}:
            return "it answers GET"
    return ""


@pytest.mark.parametrize("who", [*ROLES, *HALF_WAY])
def test_all_that_they_see_is_right(tour, who):
    troubles = [line for looks in tour.of(who).values() for look in looks for line in look.told()]

    assert troubles == []


def test_no_route_is_left_out(tour):
    assert routes.unlisted(tour.routes, TABLE) == [], "say in tests/journeys/routes.py how to visit them"
    assert routes.stale(tour.routes, TABLE) == []
    told = {name: misunderstood(TABLE[name], looks) for name, looks in tour.all().items()}
    assert {name: line for name, line in told.items() if line} == {}


def test_no_link_and_no_form_leads_nowhere(tour):
    assert dead_links(tour.cast, [look for looks in tour.all().values() for look in looks]) == []


def dead_links(cast: Cast, looks: list[Look]) -> list[str]:
    """Each address that a page links to or sends a form to is asked for, by the person who saw it there."""
    dead, asked = [], set()
    for look in looks:
        if look.address.startswith("/dev/mail/") and look.who != "gold":
            continue  # the links of a letter are for its reader
        for link in sorted({link.split("#")[0] for link in look.findings.links}):
            if (look.who, link) not in asked:
                asked.add((look.who, link))
                status = cast.named(look.who).context.request.get(link, max_redirects=0, timeout=PATIENCE).status
                if status in (404, 410) or status >= 500:
                    dead.append(f"{link} on {look.address}, seen by {look.who}: {status}")
    return dead


class TestRefusals:
    """Pages that no route shows by itself: what went wrong, in words."""

    PAGES = {
        "bad request": lambda request: errors.bad_request(request),
        "form had expired": lambda request: errors.csrf_failure(request),
        "forbidden": lambda request: errors.forbidden(request),
        "not found": lambda request: errors.not_found(request),
        "too many": lambda request: errors.too_many(request),
        "our fault": lambda request: errors.server_error(request),
        "payment not confirmed": lambda request: render(request, "billing/confirming.html", {"retry": "/"}, status=503),
    }

    @pytest.mark.parametrize("name", PAGES)
    def test_they_are_as_good_as_any_page(self, visit, rf, name):
        request = rf.get("/")
        request.user = AnonymousUser()

        answer = self.PAGES[name](request)

        assert visit(answer.content.decode(), answer.status_code) == []

    def test_an_address_that_does_not_exist(self, cast):
        with Inspector("visitor", cast.visitor) as inspector:
            look = inspector.look("/no/such/page/")
            assert (look.status, inspector.open(look).troubles) == (404, [])

    def test_the_local_stripe_knows_no_such_session(self, cast):
        with Inspector("visitor", cast.visitor) as inspector:
            look = inspector.look("/stripe/c/pay/cs_test_none")
            assert (look.status, inspector.open(look).troubles) == (404, [])


GOOD = """<!doctype html><html lang="en"><head><title>Planted</title></head>
<body><main><h1>Planted</h1>%s</main></body></html>"""


class TestTheDetectors:
    """Each is shown a page, under the site's own policy, with the one fault it is there for."""

    PLANTED = {
        "inline script": ("<script>document.title = 'x'</script>", "policy: script-src-elem forbids inline"),
        "inline style": ('<p style="color: red">x</p>', "policy: style-src-attr forbids inline"),
        "foreign picture": ('<img alt="" src="http://127.0.0.1:9/x.png">', "policy: img-src forbids"),
        "input without a label": ('<input type="text" name="x">', "label (critical)"),
        "thin contrast": ('<font color="#cccccc">thin</font>', "color-contrast (serious)"),
        "second h1": ("<h1>Another</h1>", "it has 2 h1"),
        "script that fails": ('<script src="/static/planted.js"></script>', "which answers 404"),
        "wide table": (f"<pre>{'wide ' * 100}</pre>", "at 390 px it is too wide"),
        "template left open": ("<p>{{ name }}</p>", "it shows '{{'"),
        "link into nothing": ('<a href="#nothing">Down</a>', "nothing has the id #nothing"),
    }

    def test_they_find_nothing_wrong_with_a_good_page(self, visit):
        assert visit(GOOD % "<p>Good.</p>") == []

    @pytest.mark.parametrize("fault", PLANTED)
    def test_a_planted_fault_is_found(self, visit, fault):
        planted, told = self.PLANTED[fault]

        assert [line for line in visit(GOOD % planted) if told in line]

    def test_a_page_without_a_policy_is_found(self, visit):
        assert [line for line in visit(GOOD % "", policy="") if "the policy lets any script run" in line]

    def test_a_page_without_a_language_is_found(self, visit):
        assert "html has no lang" in visit((GOOD % "").replace(' lang="en"', ""))

    def test_a_route_that_nobody_listed_is_found(self, tour):
        assert routes.unlisted([*tour.routes, "planted"], TABLE) == ["planted"]
        assert routes.stale(tour.routes, TABLE | {"planted": Page()}) == ["planted"]

    def test_a_page_that_nobody_could_see_is_found(self):
        led_away = Look("visitor", "/planted/", 302, html=True, led_to="/account/login/")

        assert misunderstood(Page(), [led_away]) == "nobody got a page with status 200"
        assert misunderstood(Page(), []) == "nobody got a page with status 200"
        assert misunderstood(Document(), [Look("visitor", "/planted/", 200, html=True)]) == "it is a page after all"
        assert misunderstood(PostOnly(), [Look("visitor", "/planted/", 200, html=False)]) == "it answers GET"

    def test_a_dead_link_is_found(self, tour):
        base = tour.cast.demo.base_url
        look = Look("visitor", "/planted/", 200, html=True, findings=Findings(links={f"{base}/", f"{base}/gone/"}))

        assert dead_links(tour.cast, [look]) == [f"{base}/gone/ on /planted/, seen by visitor: 404"]


@pytest.fixture
def visit(cast):
    """visit(html, status): what the inspector says of this page, served from the demo's address under its policy."""
    path = "/planted-page/"
    policy_here = cast.visitor.context.request.get("/").headers["content-security-policy"]

    def show(html: str, status: int = 200, policy: str = policy_here) -> list[str]:
        headers = {"content-type": "text/html; charset=utf-8", "content-security-policy": policy}
        with Inspector("visitor", cast.visitor) as inspector:
            inspector.page.route(f"**{path}", lambda route: route.fulfill(status=status, headers=headers, body=html))
            return inspector.open(Look("visitor", path, status, html=True)).troubles

    return show
