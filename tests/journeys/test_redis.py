"""The same walk with a real redis-server between web and worker, and then without it again."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.journeys import walk
from tests.journeys.rig import Demo, free_port


@pytest.fixture
def redis_url(tmp_path):
    """A redis-server of our own. That it is not installed is a failure."""
    command = shutil.which("redis-server")
    assert command, "redis-server is not installed: ./run test installs it where it may"
    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    server = subprocess.Popen([command, *options], stdout=subprocess.DEVNULL)
    yield f"redis://127.0.0.1:{port}/0"
    server.terminate()
    server.wait()


@pytest.fixture
def demo(tmp_path, redis_url):
    running = Demo(folder=tmp_path / "var", environment={"REDIS_URL": redis_url})
    running.start()
    yield running
    running.stop()


def test_a_newcomer_joins_with_redis_as_the_broker(demo):
    walk.walk(demo.base_url, demo.api_key)

    assert not (demo.folder / "queue").exists()
