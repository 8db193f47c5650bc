"""One unbroken walk against the processes of `./run demo`, and the demo's own life: stop, start, side by side."""

from __future__ import annotations

import signal
import time

import pytest

from tests.journeys import walk
from tests.journeys.rig import Demo


def test_a_newcomer_walks_from_the_home_page_to_a_checkout_that_knows_them(demo):
    walk.walk(demo.base_url, demo.api_key)


class TestALifeOfItsOwn:
    @pytest.fixture
    def other(self, tmp_path):
        """A second demo, beside the shared one."""
        second = Demo(folder=tmp_path / "var")
        yield second
        second.stop()

    def test_it_stops_clean_and_goes_on_from_where_it_was(self, demo, other):
        other.start()
        email = walk.walk(other.base_url, other.api_key)
        before = other.facts

        assert other.stop(signal.SIGINT) == 0
        assert other.left_behind() == []

        other.start()
        assert other.facts == before
        walk.still_there(other.base_url, other.api_key, email)
        assert demo.facts["base_url"] != other.facts["base_url"]

    def test_killed_it_leaves_nothing_behind(self, other):
        other.start()
        assert other.process is not None

        other.process.kill()
        other.process.wait()

        eventually_nothing_is_left(other)


def eventually_nothing_is_left(demo: Demo) -> None:
    deadline = time.monotonic() + 20
    while left := demo.left_behind():
        assert time.monotonic() < deadline, left
        time.sleep(0.2)
