"""A member asks the concierge in the portal, with a picture; and where that stands for both sides."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.journeys.person import Person

PICTURE = b"\x89PNG\r\n\x1a\n"  # as much of one as is looked at
SUBJECT = "A scarf for the coat"


def asked(member: Person, staff: Person) -> dict[str, str]:
    """The facts that the addresses of the request need."""
    page, desk = member.page, staff.page
    page.goto("/portal/concierge/")
    page.locator("[name=subject]").fill(SUBJECT)
    page.locator("[name=text]").fill("Something green, please.")
    page.locator("[name=file]").set_input_files({"name": "coat.png", "mimeType": "image/png", "buffer": PICTURE})
    member.press(page.locator("main form", has=page.locator("[name=subject]")))
    page.wait_for_url("**/portal/concierge/req_*/")
    desk.goto("/console/concierge/")
    return {
        "concierge_request": _last(page.url),
        "concierge_file": _last(page.locator("main a[download]").get_attribute("href")),
        "concierge_request_pk": _last(desk.get_by_role("link", name=SUBJECT).first.get_attribute("href")),
    }


def _last(address: str | None) -> str:
    return (address or "").rstrip("/").rsplit("/", 1)[-1]
