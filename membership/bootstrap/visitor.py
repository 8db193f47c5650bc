"""A visitor without a browser: opens pages, keeps cookies, fills in the forms it is shown. It knows nothing else."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from typing import Any

TIMEOUT = 30.0  # seconds for one page


class Unexpected(Exception):
    """A page is not what the visitor came for. Its message says which page, and what it said."""


@dataclass
class Form:
    """A form as it was served, with what stood in it."""

    url: str
    method: str = "get"
    fields: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)  # every control, also an unticked box
    buttons: list[tuple[str, str]] = field(default_factory=list)

    @property
    def path(self) -> str:
        return urllib.parse.urlsplit(self.url).path

    def has(self, *names: str) -> bool:
        return set(names) <= self.names


@dataclass
class Page:
    url: str
    status: int
    text: str
    forms: list[Form]
    links: list[str]

    @property
    def path(self) -> str:
        return urllib.parse.urlsplit(self.url).path

    def form(self, *names: str, to: str = "") -> Form:
        """The first form that is posted, has all these fields, and goes to a path under `to`. Raises Unexpected."""
        for form in self.forms:
            if form.method == "post" and form.has(*names) and form.path.startswith(to):
                return form
        sought = " ".join(filter(None, [", ".join(names), to and f"to {to}"]))
        raise Unexpected(f"{self.path} ({self.status}) has no form {sought}")


class Visitor:
    """One person's browser, as far as forms go."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(CookieJar())
        )

    def open(self, url: str) -> Page:
        return self._ask(urllib.parse.urljoin(self.base_url, url))

    def submit(self, form: Form, **values: str) -> Page:
        """Post a form with `values` in the named fields and its last button pressed; the page it leads to."""
        data = form.fields | dict(form.buttons[-1:]) | values
        return self._ask(form.url, urllib.parse.urlencode(data).encode())

    def fetch(self, url: str) -> bytes:
        """A file, such as a PDF. Raises Unexpected unless it is there."""
        try:
            with self.opener.open(urllib.parse.urljoin(self.base_url, url), timeout=TIMEOUT) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            raise Unexpected(f"{url} answered {error.code}") from None

    def _ask(self, url: str, data: bytes | None = None) -> Page:
        request = urllib.request.Request(url, data, headers={"Accept-Language": "en", "Referer": url})  # noqa: S310
        try:
            with self.opener.open(request, timeout=TIMEOUT) as answer:
                return read(answer.geturl(), answer.status, answer.read().decode(errors="replace"))
        except urllib.error.HTTPError as error:
            with error:
                return read(error.url or url, error.code, error.read().decode(errors="replace"))


class StripeByHttp:
    """Stripe's API at the local Stripe, for what no page offers. Raises Unexpected when it refuses."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    def get(self, path: str, **query: str) -> list[dict[str, Any]]:
        """The objects of a list."""
        found: list[dict[str, Any]] = self._ask(f"{path}?{urllib.parse.urlencode(query)}")["data"]
        return found

    def post(self, path: str, **values: str) -> dict[str, Any]:
        return self._ask(path, urllib.parse.urlencode(values).encode())

    def _ask(self, path: str, data: bytes | None = None) -> dict[str, Any]:
        headers = {"Authorization": "Bearer sk_test_local"}
        request = urllib.request.Request(f"{self.base_url}/stripe/v1/{path}", data, headers)  # noqa: S310
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=TIMEOUT) as answer:
                found: dict[str, Any] = json.load(answer)
                return found
        except urllib.error.HTTPError as error:
            with error:
                raise Unexpected(f"Stripe refused {path}: {error.read().decode(errors='replace')[:400]}") from None


def read(url: str, status: int, text: str) -> Page:
    """A page's forms and links, as a browser sees them."""
    reader = _Reader(url)
    reader.feed(text)
    return Page(url=url, status=status, text=text, forms=reader.forms, links=reader.links)


class _Reader(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.form: Form | None = None
        self.select: str | None = None

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag == "form":
            action = urllib.parse.urljoin(self.url, given.get("action", ""))
            self.form = Form(url=action, method=given.get("method", "get").lower())
            self.forms.append(self.form)
        elif tag == "a" and "href" in given:
            self.links.append(urllib.parse.urljoin(self.url, given["href"]))
        elif self.form is not None:
            self._control(self.form, tag, given)

    def _control(self, form: Form, tag: str, given: dict[str, str]) -> None:
        name, kind = given.get("name", ""), given.get("type", "text")
        if tag == "option" and self.select and (self.select not in form.fields or "selected" in given):
            form.fields[self.select] = given.get("value", "")
        elif not name or "disabled" in given:
            return
        elif tag == "button" or kind in ("submit", "image"):
            form.buttons.append((name, given.get("value", "")))
        elif tag in ("input", "textarea", "select"):
            form.names.add(name)
            self.select = name if tag == "select" else self.select
            if tag != "select" and (kind not in ("checkbox", "radio") or "checked" in given):
                form.fields[name] = given.get("value", "on" if kind == "checkbox" else "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.form = None
        elif tag == "select":
            self.select = None
