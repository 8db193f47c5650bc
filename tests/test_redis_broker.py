"""A worker that holds all it may when Redis goes: it hears what is sent after Redis is back, or learns that it must
connect anew. Real redis-server, Kombu's own calls, no worker's process: the moment is the worst one, each time."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

import kombu
import pytest
from kombu.message import Message
from kombu.transport import redis as kombus

from membership import redis_broker
from tests.processes import Redis

pytestmark = pytest.mark.processes
QUEUE = kombu.Queue("bells", durable=False)
HELD = 2  # messages that a worker may hold
log = logging.getLogger(__name__)


@pytest.fixture
def redis(tmp_path) -> Iterator[Redis]:
    server = Redis(tmp_path)
    yield server
    server.go()


class Worker:
    """What a worker's main process does with its broker."""

    def __init__(self, url: str, transport: type[kombus.Transport]) -> None:
        self.connection = kombu.Connection(url, transport=transport, transport_options={"socket_timeout": 1})
        self.channel = self.connection.channel()
        self.held: list[Message] = []
        consumer = kombu.Consumer(self.channel, [QUEUE], on_message=self.held.append)
        consumer.qos(prefetch_count=HELD)
        consumer.consume()

    def hears(self) -> bool:
        """Whether something comes in a second."""
        before = len(self.held)
        with contextlib.suppress(TimeoutError):
            self.connection.drain_events(timeout=1)
        return len(self.held) > before

    def acknowledges(self) -> None:
        """As Celery does: what Redis does not take is logged."""
        for message in self.held:
            message.ack_log_error(log, self.connection.connection_errors)
        self.held = []


@contextlib.contextmanager
def ears(redis: Redis, transport: type[kombus.Transport]) -> Iterator[Worker]:
    worker = Worker(redis.url, transport)
    try:
        yield worker
    finally:
        worker.connection.release()


def rings(url: str, times: int) -> None:
    with kombu.Connection(url, transport=kombus.Transport) as connection:
        connection.ensure_connection(interval_start=0.1, timeout=10)
        producer = connection.Producer()
        for _ in range(times):
            producer.publish("a ring", routing_key=QUEUE.name, declare=[QUEUE])


def deaf(redis: Redis, transport: type[kombus.Transport]) -> bool:
    """Neither hears nor learns that its connection is gone, after Redis went while all it may hold was in its hands."""
    with ears(redis, transport) as worker:
        rings(redis.url, HELD)
        assert worker.hears()
        assert worker.hears()
        redis.go()
        worker.acknowledges()
        redis.come()
        rings(redis.url, 1)
        try:
            return not any(worker.hears() for _ in range(3))
        except worker.connection.connection_errors:
            return False  # on which a worker connects anew


def test_who_held_all_it_may_hears_again(redis):
    assert not deaf(redis, redis_broker.Transport)


def test_twin_kombus_own_is_deaf_for_good(redis):
    assert deaf(redis, kombus.Transport)
