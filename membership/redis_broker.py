"""Redis as a broker whose workers hear again once it is back. celery.py registers it as redis:// and rediss://.

Kombu's own keeps a delivery in its books when Redis is away as it is acknowledged, and the worker logs that and goes
on. With as many such deliveries as it may hold a worker asks for no more, so it never notices that its connection is
lost, and is deaf until somebody starts it again.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from kombu.transport import redis

if TYPE_CHECKING:
    from collections.abc import Iterator


class QoS(redis.QoS):
    """A delivery that could not be acknowledged is off our books all the same. If Redis kept it, it comes once more
    after the visibility timeout, which does no harm: the rows say what is due."""

    def ack(self, delivery_tag: str) -> None:
        with self._off_our_books(delivery_tag):
            super().ack(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        with self._off_our_books(delivery_tag):
            super().reject(delivery_tag, requeue=requeue)

    @contextlib.contextmanager
    def _off_our_books(self, delivery_tag: str) -> Iterator[None]:
        try:
            yield
        finally:
            self._quick_ack(delivery_tag)  # type: ignore[attr-defined]  # the stubs leave it out


class Channel(redis.Channel):
    QoS = QoS


class Transport(redis.Transport):
    Channel = Channel
