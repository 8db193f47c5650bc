"""Without Redis the doors stay open: nobody waits long for a bell that nobody hears, and rates are still counted."""

from __future__ import annotations

import socket
import time

import pytest
from django.core.cache import caches
from django.db import connection
from kombu.exceptions import OperationalError

from membership import cache as shared_cache
from membership import doorbell
from membership.celery import COME_BACK

pytestmark = pytest.mark.django_db


@pytest.fixture
def nowhere() -> str:
    """The address of a Redis that is gone."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    return f"redis://127.0.0.1:{port}/0"


@pytest.fixture
def silent():
    """The address of a Redis that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


@pytest.fixture
def rings(monkeypatch):
    """The rings that reach a broker which takes none."""
    tried = []

    def nobody_answers(task, **_):
        tried.append(task)
        raise OperationalError

    monkeypatch.setattr(doorbell.app, "send_task", nobody_answers)
    monkeypatch.setattr(doorbell, "_quiet_until", 0.0)
    return tried


def ring(django_capture_on_commit_callbacks) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        doorbell.ring("billing.handle_event", 1)


def test_a_worker_asks_every_few_seconds_whether_it_is_back(nowhere, monkeypatch):
    monkeypatch.setattr("kombu.utils.functional.sleep", lambda _seconds: None)
    waits: list[float] = []
    with doorbell.app.connection_for_read(nowhere) as worker, pytest.raises(OperationalError):
        worker.ensure_connection(lambda _error, wait: waits.append(wait), max_retries=6)
    assert max(waits) == COME_BACK


class TestTheBell:
    def test_that_was_not_taken_is_not_rung_again_for_a_while(self, rings, django_capture_on_commit_callbacks):
        for _time in range(3):
            ring(django_capture_on_commit_callbacks)
        assert len(rings) == 1

    def test_is_rung_again_after_that(self, rings, django_capture_on_commit_callbacks, monkeypatch):
        monkeypatch.setattr(doorbell, "QUIET", 0.0)
        for _time in range(3):
            ring(django_capture_on_commit_callbacks)
        assert len(rings) == 3
        assert connection.is_usable()


class TestTheCache:
    @pytest.mark.parametrize("redis", ["nowhere", "silent"])
    def test_goes_on_in_this_process(self, redis, request):
        cache = shared_cache.RedisOrOwnMemory(request.getfixturevalue(redis), {})
        began = time.monotonic()
        assert cache.add("tries", 1)
        assert not cache.add("tries", 1)
        assert cache.incr("tries") == 2
        cache.set("names", ["ada"])
        assert cache.get_many(["tries", "names"]) == {"tries": 2, "names": ["ada"]}
        assert cache.touch("names")
        assert cache.delete("names")
        cache.clear()
        assert cache.get("tries") is None
        assert time.monotonic() - began < 2 * shared_cache.PATIENCE

    def test_asks_redis_again_later(self, nowhere, monkeypatch):
        cache = shared_cache.RedisOrOwnMemory(nowhere, {})
        cache.set("names", ["ada"])
        monkeypatch.setattr(cache, "_away_until", 0.0)
        monkeypatch.setattr(cache, "_shared", caches["default"])
        cache.set("names", ["bob"])
        assert caches["default"].get("names") == ["bob"]
