"""Load at a steady rate (an open loop): a request is sent when it is due, whether or not those before it are answered.

What a server delays is counted from the moment a request was due, so that one which stalls cannot hide it by being
asked less (Tene's “coordinated omission”).
"""

from __future__ import annotations

import selectors
import socket
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.rig import load

if TYPE_CHECKING:
    from collections.abc import Iterable

PATIENCE = 30.0  # seconds that answers are waited for once the last request was due


@dataclass(frozen=True, slots=True)
class Told:
    """An answer. `number`: of the request in its order. `sent` in Unix seconds, `took` in seconds since it was due."""

    number: int
    sent: float
    took: float
    status: int
    body: bytes


@dataclass(slots=True)
class _Waiting:
    number: int
    due: float
    sent: float
    got: bytes = b""


def run(port: int, requests: Iterable[bytes], *, rate: float, seconds: float, connections: int) -> list[Told]:
    """Send `rate` of them a second for so long. What was never answered is missing from what is returned."""
    ahead = enumerate(requests)
    selector = selectors.DefaultSelector()
    idle = deque(_connected(port) for _ in range(connections))
    waiting: dict[socket.socket, _Waiting] = {}
    told: list[Told] = []
    began, sent, count = time.perf_counter(), 0, int(rate * seconds)
    for sock in idle:
        selector.register(sock, selectors.EVENT_READ)
    while len(told) < count and time.perf_counter() < began + seconds + PATIENCE:
        now = time.perf_counter()
        while idle and sent < count and began + sent / rate <= now:
            number, request = next(ahead)
            sock = idle.popleft()
            waiting[sock] = _Waiting(number, began + sent / rate, time.time())
            sock.sendall(request)
            sent += 1
        pause = began + sent / rate - now if idle and sent < count else 0.5
        for ready, _ in selector.select(timeout=max(0.0, pause)):
            sock = ready.fileobj  # type: ignore[assignment]
            if (answer := _answer(sock, waiting[sock])) is not None:
                told.append(answer)
                del waiting[sock]
                idle.append(sock)
    for sock in [*idle, *waiting]:
        sock.close()
    return told


def _connected(port: int) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port), timeout=10)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _answer(sock: socket.socket, asked: _Waiting) -> Told | None:
    """The answer, once it is whole. Raises load.BadAnswer where the server hung up."""
    more = sock.recv(65536)
    if not more:
        raise load.BadAnswer("the server closed the connection")
    asked.got += more
    if (end := load.end_of(asked.got)) is None:
        return None
    head, _, body = asked.got[:end].partition(b"\r\n\r\n")
    return Told(asked.number, asked.sent, time.perf_counter() - asked.due, int(head[9:12]), body)


def percentile(told: Iterable[Told], share: float) -> float:
    """Milliseconds within which that share of the answers came."""
    took = sorted(answer.took for answer in told)
    return took[min(len(took) - 1, int(len(took) * share))] * 1000
