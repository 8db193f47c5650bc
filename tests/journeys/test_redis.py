"""The same walk with a real redis-server between web and worker, and then without it again."""

from __future__ import annotations

import pytest

from tests.journeys import walk
from tests.journeys.rig import running


@pytest.fixture
def demo(tmp_path, redis, lived):
    with running(tmp_path / "var", like=lived, REDIS_URL=redis.url) as demo:
        yield demo


def test_a_newcomer_joins_with_redis_as_the_broker(demo):
    walk.walk(demo.base_url, demo.api_key)

    assert not (demo.folder / "queue").exists()
