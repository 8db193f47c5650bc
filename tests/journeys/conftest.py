"""Journeys: a person in a real browser against one running demo. They run once, on SQLite."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.journeys import rig
from tests.journeys.person import Person
from tests.journeys.rig import Demo, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.journey)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """The system's Chromium; that it is missing is a failure."""
    found = [path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))]
    assert found, "Chromium is not installed: ./run test installs it where it may"
    return {"executable_path": found[0], "args": list(QUIET)}


@pytest.fixture(scope="session")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo's folder to go on from (`running(..., like=lived)`): made once for all, however many processes test."""
    here = tmp_path_factory.getbasetemp()
    return rig.lived(here.parent if "PYTEST_XDIST_WORKER" in os.environ else here)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory, lived: Path) -> Iterator[Demo]:
    """The demo that all journeys share, ready; when they are done it stops, and leaves nothing behind."""
    with running(tmp_path_factory.mktemp("demo") / "var", like=lived) as demo:
        yield demo


@pytest.fixture
def new_person(browser: Browser, demo: Demo) -> Iterator[Callable[..., Person]]:
    """new_person(name=...): somebody at a browser of their own. None of them may meet a broken content policy."""
    people: list[Person] = []

    def arrive(**given: Any) -> Person:
        people.append(Person(browser=browser, demo=demo, **given))
        return people[-1]

    yield arrive
    violations = [line for person in people for line in person.violations]
    for person in people:
        person.close()
    assert violations == []


@pytest.fixture
def person(new_person: Callable[..., Person]) -> Person:
    return new_person()
