"""How long a storm lasts, and which seeds it plays."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.core.cache import cache

from perks import auth, decisions, fresh

FIRST_SEED = 1


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, help="play this one round of a storm again")


@dataclass(frozen=True)
class Share:
    """How many rounds this run plays: those of CI's share, or the whole goal with STORMS=full."""

    only: int | None
    full: bool

    def seeds(self, *, ci: int, full: int, part: int = 0, parts: int = 1) -> range:
        """The rounds to play; of a storm in several parts, which two cores share, those of this part."""
        if self.only is not None:
            return range(self.only, self.only + (part == 0))
        return range(FIRST_SEED + part, FIRST_SEED + (full if self.full else ci), parts)

    def of(self, *, ci: int, full: int) -> int:
        """A count of whatever a round has several of."""
        return full if self.full else ci


@pytest.fixture
def share(request: pytest.FixtureRequest) -> Share:
    return Share(request.config.getoption("--seed", default=None), os.environ.get("STORMS") == "full")


@pytest.fixture(autouse=True)
def _no_contract_check(settings) -> None:
    """The everyday tests hold every exchange against the SDK's types; here it would cost most of the minutes."""
    settings.LOCAL_STRIPE = settings.LOCAL_STRIPE | {"CHECK": False}


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Faults are the point here, and each would be logged."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def forget_what_processes_remember() -> None:
    cache.clear()
    fresh.forget_all()
    decisions.forget()
    auth.forget_guesses()
