"""Pictures of a running demo: `python -m tests.journeys.pictures FOLDER PORT` (VIP_DATA and PORT of the demo).

Every page as every role sees it goes to test-results/pages/, at a desk and on a phone, to be looked at by people; with
`--dark` in the dark, with `--german` in German. `--readme` makes the few in docs/screenshots/ instead.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from tests.journeys import routes
from tests.journeys.cast import ROLES, Cast
from tests.journeys.conftest import QUIET
from tests.journeys.looks import PATIENCE
from tests.journeys.rig import ROOT, Demo
from tests.journeys.routes import TABLE, Page

if TYPE_CHECKING:
    from playwright.sync_api import Page as Tab

DOCS = ROOT / "docs" / "screenshots"
FOR_README = {
    "plans": ("visitor", "/plans/", 1480),
    "portal": ("gold", "/portal/", 1100),
    "card": ("visitor", "/c/{card_token}", 700),
    "shop": ("shopper", "/demo/shop/basket/", 1150),
    "console": ("clerk", "/console/members/{silver_number}/", 1000),
    "concierge": ("clerk", "/console/concierge/{concierge_request_pk}/", 960),
    "health": ("clerk", "/console/health/members/", 640),
    "shelf": ("shopper", "/demo/shop/", 1150),
}


def everything(cast: Cast, options: argparse.Namespace) -> None:
    for who in options.who or ROLES:
        tab = cast.named(who).new_tab()
        tab.emulate_media(color_scheme="dark" if options.dark else "light", reduced_motion="reduce")
        if options.german:
            tab.goto("/plans/", timeout=PATIENCE)
            tab.locator("form.languages [value=de]").first.click(timeout=PATIENCE)
        looks = "".join(f"-{look}" for look in ("german", "dark") if getattr(options, look))
        for name, pattern in routes.of(cast.demo).items():
            entry = TABLE.get(name)
            if isinstance(entry, Page) and (not options.only or name in options.only):
                for number, address in enumerate(routes.addresses(pattern, entry, cast.facts)):
                    answer = tab.goto(address, timeout=PATIENCE)
                    if answer and answer.status == 200 and not answer.request.redirected_from:
                        shoot(tab, f"{name.replace(':', '-')}{number or ''}-{who}{looks}")


def shoot(tab: Tab, name: str) -> None:
    folder = ROOT / "test-results" / "pages"
    folder.mkdir(parents=True, exist_ok=True)
    for width in (390, 1280):
        tab.set_viewport_size({"width": width, "height": 850})
        tab.screenshot(path=folder / f"{name}-{width}.png", full_page=True)


def for_readme(cast: Cast) -> None:
    DOCS.mkdir(parents=True, exist_ok=True)
    for name, (who, address, height) in FOR_README.items():
        tab = cast.named(who).new_tab()
        tab.set_viewport_size({"width": 1100, "height": height})
        tab.emulate_media(color_scheme="light", reduced_motion="reduce")
        tab.goto(address.format_map(cast.facts), timeout=PATIENCE)
        tab.screenshot(path=DOCS / f"{name}.png")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("folder", type=Path)
    asked.add_argument("port", type=int)
    asked.add_argument("--dark", action="store_true")
    asked.add_argument("--german", action="store_true")
    asked.add_argument("--readme", action="store_true")
    asked.add_argument("--who", action="append")
    asked.add_argument("--only", action="append", help="the name of a route")
    options = asked.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(QUIET))
        cast = Cast(browser, Demo(folder=options.folder, port=options.port))
        if options.readme:
            for_readme(cast)
        else:
            everything(cast, options)
        browser.close()


if __name__ == "__main__":
    main()
