"""Every page that the resolver knows, as everybody sees it: axe, the content policy, links, phones; none left out.

The walk takes each route as each role; what was wrong is told by address. The detectors themselves are tested at the
end of this file with planted faults.
"""

from __future__ import annotations

from functools import cached_property
from http import HTTPStatus

import pytest

from tests.journeys import routes
from tests.journeys.cast import ROLES, Cast
from tests.journeys.looks import Findings, Inspector, Look
from tests.journeys.routes import TABLE, Document, Elsewhere, Entry, Page, PostOnly

HALF_WAY = tuple(dict.fromkeys(name for entry in TABLE.values() for name in entry.by))


class Tour:
    """Who saw what, each role's part made when first asked for."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.seen: dict[str, dict[str, Look]] = {}
        self.known: dict[str, Findings] = {}

    @cached_property
    def routes(self) -> dict[str, str]:
        return routes.of(self.cast.demo)

    def of(self, who: str) -> dict[str, Look]:
        """Route to what this person got there."""
        if who not in self.seen:
            facts, person = self.cast.facts, self.cast.named(who)
            with Inspector(who, person, self.known) as inspector:
                self.seen[who] = {
                    name: inspector.look(routes.address(pattern, TABLE[name], facts))
                    for name, pattern in self.routes.items()
                    if name in TABLE and (who in ROLES or who in TABLE[name].by)
                }
        return self.seen[who]

    def all(self) -> dict[str, list[Look]]:
        """Route to what everybody got there."""
        found: dict[str, list[Look]] = {name: [] for name in self.routes}
        for who in (*ROLES, *HALF_WAY):
            for name, look in self.of(who).items():
                found[name].append(look)
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
        case Elsewhere() if not all(look.led_to for look in looks):
            return "it does not lead on for everybody"
        case PostOnly() if any(look.status != HTTPStatus.METHOD_NOT_ALLOWED for look in looks):
            return "it answers GET"
    return ""


@pytest.mark.parametrize("who", [*ROLES, *HALF_WAY])
def test_all_that_they_see_is_right(tour, who):
    troubles = [f"{look.address}: {line}" for look in tour.of(who).values() for line in look.troubles]

    assert troubles == []


def test_no_route_is_left_out(tour):
    assert routes.unlisted(tour.routes, TABLE) == [], "say in tests/journeys/routes.py how to visit them"
    assert routes.stale(tour.routes, TABLE) == []
    told = {name: misunderstood(TABLE[name], looks) for name, looks in tour.all().items()}
    assert {name: line for name, line in told.items() if line} == {}


def test_no_link_and_no_form_leads_nowhere(tour):
    """Each address a page links to or sends a form to is asked for, by the person who saw it there."""
    dead, asked = [], set()
    for look in (look for looks in tour.all().values() for look in looks):
        for link in sorted({link.split("#")[0] for link in look.findings.links}):
            if (look.who, link) not in asked:
                asked.add((look.who, link))
                status = tour.cast.named(look.who).context.request.get(link, max_redirects=0).status
                if status in (404, 410) or status >= 500:
                    dead.append(f"{link} on {look.address}, seen by {look.who}: {status}")

    assert dead == []
