"""One unbroken walk against the processes of `./run demo`, and what a demo outlives: a killed worker, stop, kill."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psutil
import pytest

from tests.journeys import rig, walk
from tests.journeys.rig import Demo
from tests.processes import until


def test_a_newcomer_walks_from_the_home_page_to_a_checkout_that_knows_them(demo):
    walk.walk(demo.base_url, demo.api_key)


@pytest.fixture
def other(tmp_path, lived):
    """A second demo, beside the shared one."""
    rig.copy(lived, tmp_path / "var")
    second = Demo(folder=tmp_path / "var")
    second.start()
    yield second
    second.stop()


def test_a_second_demo_lives_beside_the_first_and_outlives_what_happens_to_it(demo, other):
    assert demo.base_url != other.base_url
    email = walk.walk(other.base_url, other.api_key)
    before = other.facts

    kill_the_worker(other)
    walk.walk(other.base_url, other.api_key)

    assert other.stop(signal.SIGINT) == 0
    assert other.left_behind() == []

    other.start()
    assert other.facts == before
    walk.still_there(other.base_url, other.api_key, email)

    assert other.process is not None
    other.process.kill()
    other.process.wait()
    until(lambda: not other.left_behind(), "nothing of it runs", seconds=30)


def kill_the_worker(demo: Demo) -> None:
    """As the kernel does when memory runs out; back when the supervisor has started another, alone."""
    old = workers(demo)
    os.kill(old[0], signal.SIGKILL)
    until(lambda: workers(demo) and not set(workers(demo)) & set(old), "another worker", seconds=30)


def workers(demo: Demo) -> list[int]:
    """The process ids of the demo's worker and its pool, the oldest first; ids begin anew when they have run out."""
    mark = f"VIP_DATA={demo.folder}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            ours = mark in (path / "environ").read_bytes().split(b"\0")
            if ours and b"worker" in (path / "cmdline").read_bytes().split(b"\0"):
                found.append((psutil.Process(int(path.name)).create_time(), int(path.name)))
        except (OSError, psutil.NoSuchProcess):
            continue
    return [pid for _began, pid in sorted(found)]
