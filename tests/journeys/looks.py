"""An inspector of pages: opens an address as one person would and says everything that is wrong with what came."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from tests.journeys.person import DESKTOP, PHONE

if TYPE_CHECKING:
    from playwright.sync_api import APIResponse, ConsoleMessage, Page, Response, Route

    from tests.journeys.person import Person

LISTEN = """
window.brokenPolicy = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.brokenPolicy.push(`${event.effectiveDirective} forbids ${event.blockedURI} ${event.sample}`);
});
"""
READ = """() => {
  const here = (element, name) => new URL(element.getAttribute(name), document.baseURI);
  const links = [...document.querySelectorAll("a[href], area[href], form[action]")]
    .map((element) => here(element, element.hasAttribute("href") ? "href" : "action"));
  return {
    lang: document.documentElement.lang,
    title: document.title.trim(),
    h1: document.querySelectorAll("h1").length,
    broken: window.brokenPolicy ?? [],
    links: links.map((link) => link.href),
    noTarget: [...document.querySelectorAll("a[href^='#']")]
      .filter((link) => link.hash.length > 1 && !document.getElementById(decodeURIComponent(link.hash.slice(1))))
      .map((link) => link.hash),
  };
}"""
# What sticks out at the right, the innermost elements first; nothing when the page does not scroll sideways.
TOO_WIDE = """() => {
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= room) return [];
  return [...document.querySelectorAll("body, body *")].reverse()
    .filter((element) => element.getBoundingClientRect().left + element.scrollWidth > room + 1)
    .slice(0, 3).map((element) => element.outerHTML.slice(0, 120));
}"""
PATIENCE = 60_000  # milliseconds; the first card of a process is slow
FORM_TOKEN = re.compile(r"\b[A-Za-z0-9]{64}\b")  # Django's, another one in each answer
# Words for the template's author that must never reach a reader.
LEAK = re.compile(r"\{\{|\{%|%\(\w+\)[sd]|\bNone\b(?=\s*<)|<django\.|functools\.partial")


@dataclass
class Findings:
    troubles: list[str] = field(default_factory=list)
    links: set[str] = field(default_factory=set)


@dataclass
class Look:
    """What one person got at one address."""

    who: str
    address: str
    status: int
    html: bool
    led_to: str = ""  # the path it redirected to
    findings: Findings = field(default_factory=lambda: Findings())

    @property
    def troubles(self) -> list[str]:
        return self.findings.troubles

    def told(self) -> list[str]:
        return [f"{self.address}: {line}" for line in self.troubles]

    @property
    def is_page(self) -> bool:
        return self.html and self.status == 200 and not self.led_to


class Inspector:
    """Listens before the first page is opened, so that nothing a page does while it loads is missed."""

    def __init__(self, who: str, person: Person, known: dict[str, Findings] | None = None) -> None:
        self.who = who
        self.person = person
        self.known = {} if known is None else known
        self.page: Page = person.new_tab()
        self.noise: list[str] = []
        self.page.add_init_script(LISTEN)
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.noise.append(f"a script failed: {error}"))
        self.page.on("response", self._fetched)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.page.close()

    def _hear(self, message: ConsoleMessage) -> None:
        refused_page = message.text.startswith("Failed to load resource")  # told by _fetched, with its address
        if message.type in ("error", "warning") and not refused_page:
            self.noise.append(f"the console says: {message.text}")

    def _fetched(self, response: Response) -> None:
        if response.status >= 400 and not response.request.is_navigation_request():
            self.noise.append(f"it fetches {response.url}, which answers {response.status}")

    def look(self, address: str) -> Look:
        """Ask for `address`; a page that comes is opened in the browser and inspected."""
        answer = self.person.context.request.get(address, max_redirects=0, timeout=PATIENCE)
        kind = answer.headers.get("content-type", "")
        look = Look(self.who, address, answer.status, kind.startswith("text/html"))
        if answer.status >= 500:
            look.troubles.append(f"answers {answer.status}")
        elif answer.status in (301, 302, 303, 307, 308):
            look.led_to = urlsplit(answer.headers["location"]).path
        elif look.html and answer.status not in (404, 405):
            mark = _mark(answer)
            if mark not in self.known:
                self.known[mark] = self.open(look)
            look.findings = self.known[mark]
        return look

    def open(self, look: Look) -> Findings:
        """Open the page in the browser and inspect it."""
        self.noise.clear()
        response = self.page.goto(look.address, timeout=PATIENCE)
        assert response is not None
        found = Findings([*_policy(response), *_in_the_text(response.text())])
        if response.status != look.status:
            found.troubles.append(f"answers {look.status}, then {response.status}")
        if "sandbox" in response.headers.get("content-security-policy", ""):
            found.troubles += self.noise
            self._open_unlocked(look.address)  # where no script may run, axe cannot either
        self._inspect(found)
        return found

    def _open_unlocked(self, address: str) -> None:
        """The same page without its sandbox."""

        def unlock(route: Route) -> None:
            answer = route.fetch()
            route.fulfill(response=answer, headers=answer.headers | {"content-security-policy": ""})

        self.page.route(f"**{address}", unlock)
        self.page.goto(address)
        self.page.unroute(f"**{address}")
        self.noise.clear()

    def _inspect(self, found: Findings) -> None:
        """Add what is wrong with the page in front."""
        found.troubles += [f"axe: {line}" for line in self.person.axe(self.page)]
        read: dict[str, Any] = self.page.evaluate(READ)
        found.troubles += _in_the_document(read)
        found.troubles += [f"at {PHONE['width']} px it is too wide: {part}" for part in self._too_wide()]
        found.troubles += [f"policy: {line}" for line in read["broken"]] + self.noise
        found.links = {link for link in read["links"] if link.startswith(self.person.demo.base_url)}

    def _too_wide(self) -> list[str]:
        self.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        found: list[str] = self.page.evaluate(TOO_WIDE)
        self.page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
        return found


def _mark(answer: APIResponse) -> str:
    """The same for two answers that are the same page under the same policy: what is found in one is in the other."""
    text = FORM_TOKEN.sub("", answer.text())
    return "\n".join((answer.url, answer.headers.get("content-security-policy", ""), text))


def _policy(response: Response) -> list[str]:
    """A page without a policy would break none."""
    policy = response.headers.get("content-security-policy", "")
    script = re.search(r"script-src[^;]*", policy) or re.search(r"default-src[^;]*", policy)
    if not script or "unsafe" in script[0] or "*" in script[0]:
        return [f"the policy lets any script run: {policy or 'there is none'}"]
    return []


def _in_the_text(html: str) -> list[str]:
    return [f"it shows {found[0]!r}" for found in LEAK.finditer(html)]


def _in_the_document(read: dict[str, Any]) -> list[str]:
    found = []
    if not read["lang"]:
        found.append("html has no lang")
    if not read["title"]:
        found.append("it has no title")
    if read["h1"] != 1:
        found.append(f"it has {read['h1']} h1")
    return found + [f"nothing has the id {target}" for target in read["noTarget"]]
