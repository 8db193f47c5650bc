"""A load generator of the standard library alone: raw sockets kept open, one loop. And CPU time by process."""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import time
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

CHUNKED = b"transfer-encoding: chunked"
TICKS = os.sysconf("SC_CLK_TCK")


class BadAnswer(RuntimeError):
    """The server answered something else than 200."""


@dataclass(frozen=True)
class Run:
    """One run against one server: what it served, and what that cost it."""

    requests: int
    seconds: float
    cpu_seconds: float

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds

    @property
    def cpu_micros(self) -> float:
        return self.cpu_seconds / self.requests * 1e6


def post(path: str, body: bytes, *, key: str) -> bytes:
    """A whole HTTP request, ready to be sent again and again."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def once(port: int, request: bytes) -> bytes:
    """The body of one answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as sock:
        sock.sendall(request)
        got = b""
        while (end := end_of(got)) is None:
            got += sock.recv(65536)
        head, _, body = got[:end].partition(b"\r\n\r\n")
        return _joined(body) if CHUNKED in head.lower() else body


def run(port: int, requests: Sequence[bytes], *, seconds: float, connections: int, pid: int) -> Run:
    """Closed loop: each connection sends its next request when the last is answered. Raises BadAnswer."""
    ahead = cycle(requests)
    selector = selectors.DefaultSelector()
    buffers: dict[socket.socket, bytes] = {}
    for _ in range(connections):
        sock = socket.create_connection(("127.0.0.1", port), timeout=10)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(sock, selectors.EVENT_READ)
        buffers[sock] = b""
    cpu, began, served = cpu_seconds(pid), time.perf_counter(), 0
    until = began + seconds
    for sock in buffers:
        sock.sendall(next(ahead))
    while time.perf_counter() < until:
        for ready, _ in selector.select(timeout=1):
            sock = ready.fileobj  # type: ignore[assignment]
            buffers[sock] += sock.recv(65536)
            if end_of(buffers[sock]) is None:
                continue
            if not buffers[sock].startswith(b"HTTP/1.1 200"):
                raise BadAnswer(buffers[sock][:500].decode(errors="replace"))
            buffers[sock] = b""
            served += 1
            sock.sendall(next(ahead))
    result = Run(served, time.perf_counter() - began, cpu_seconds(pid) - cpu)
    for sock in buffers:
        sock.close()
    return result


def end_of(got: bytes) -> int | None:
    """Where the first answer in `got` ends; None while it is not whole."""
    head, found, _ = got.partition(b"\r\n\r\n")
    if not found:
        return None
    if CHUNKED in head.lower():
        return len(got) if got.endswith(b"0\r\n\r\n") else None
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            end = len(head) + 4 + int(line[15:])
            return end if len(got) >= end else None
    raise BadAnswer(f"an answer without Content-Length: {got[:300]!r}")


def _joined(chunked: bytes) -> bytes:
    body = b""
    while chunked:
        size, _, chunked = chunked.partition(b"\r\n")
        body, chunked = body + chunked[: int(size, 16)], chunked[int(size, 16) + 2 :]
    return body


def cpu_seconds(pid: int) -> float:
    """CPU time of a process and its children so far, in seconds (user and system)."""
    return sum(_cpu(p) for p in family(pid))


def _cpu(pid: int) -> float:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS
    return 0.0


def family(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for task in Path(f"/proc/{parent}/task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
    return found
