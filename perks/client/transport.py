"""HTTP within a deadline: connections that are kept, and every wait for the other side bounded by the time left.

A timeout of the standard library bounds each read; an answer that trickles in could hold a checkout for ever. Looking
up the host's name is left to the system, which may take longer.
"""

from __future__ import annotations

import http.client
import io
import os
import queue
import selectors
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

MOST_BYTES = 8 * 1024 * 1024
CONNECT_SECONDS = 0.5  # at most, for each try: a lost first packet is sent again after a second

_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)  # select() takes no file above the 1024th


@dataclass(frozen=True, slots=True)
class Sent:
    """One request. `target`: path and query. `deadline`: by time.monotonic()."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes | None
    deadline: float


@dataclass(frozen=True, slots=True)
class Received:
    """One answer. `headers` by their names in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Failed(Exception):
    """No whole answer came. `unsent`: the API cannot have seen the request, so that repeating it is always safe."""

    def __init__(self, message: str, *, unsent: bool) -> None:
        super().__init__(message)
        self.unsent = unsent


class Transport(Protocol):
    """What carries a request. Raises Failed; must keep to the deadline."""

    def __call__(self, sent: Sent) -> Received: ...


class HttpTransport:
    """The standard library's HTTP, for any number of threads. Up to `keep` connections wait for the next request;
    0: none."""

    def __init__(self, base_url: str, *, keep: int = 8, context: ssl.SSLContext | None = None) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"{base_url!r} is no address such as https://club.example")
        self._host, self._port = parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
        self._prefix, self._netloc = parts.path.rstrip("/"), parts.netloc.rpartition("@")[2]
        self._tls = (context or ssl.create_default_context()) if parts.scheme == "https" else None
        self._kept: queue.LifoQueue[socket.socket] = queue.LifoQueue(keep)
        self._most = keep
        self._process = os.getpid()

    def __call__(self, sent: Sent) -> Received:
        sock = self._waiting() or self._connected(sent.deadline)
        connection = http.client.HTTPConnection(self._host, self._port)
        connection.sock = _Timed(sock, sent.deadline)
        try:
            headers = {"Host": self._netloc, **sent.headers}
            connection.request(sent.method, self._prefix + sent.target, body=sent.body, headers=headers)
            response = connection.getresponse()
            body = response.read(MOST_BYTES + 1)
            if len(body) > MOST_BYTES:
                raise Failed("the answer is too big", unsent=False)
        except (OSError, http.client.HTTPException) as error:
            sock.close()
            raise Failed(_told(error), unsent=False) from error
        except BaseException:
            sock.close()
            raise
        if response.will_close or not response.isclosed() or not self._most:
            sock.close()
        else:
            self._keep(sock)
        return Received(response.status, {k.lower(): v for k, v in response.getheaders()}, body)

    def close(self) -> None:
        """Close what is kept. The transport may be used again."""
        while True:
            try:
                self._kept.get_nowait().close()
            except queue.Empty:
                return

    def _keep(self, sock: socket.socket) -> None:
        try:
            self._kept.put_nowait(sock)
        except queue.Full:
            sock.close()

    def _waiting(self) -> socket.socket | None:
        """A kept connection that the other side has not closed: nothing can be read from one that only waits."""
        if self._process != os.getpid():  # forked: these are the parent's, whose answers must not be read here
            parents, self._kept = self._kept, queue.LifoQueue(self._most)
            self._process = os.getpid()
            for sock in parents.queue:  # closes this process's copy; past its lock, which may be held for ever here
                sock.close()
        while True:
            try:
                sock = self._kept.get_nowait()
            except queue.Empty:
                return None
            if not _readable(sock):
                return sock
            sock.close()

    def _connected(self, deadline: float) -> socket.socket:
        try:
            return self._connect(deadline)
        except OSError as error:  # refused, no such host, a certificate that does not fit
            raise Failed(_told(error), unsent=True) from error

    def _connect(self, deadline: float) -> socket.socket:
        last: OSError = TimeoutError("no time was left to connect")
        for family, kind, protocol, _name, address in socket.getaddrinfo(self._host, self._port, 0, socket.SOCK_STREAM):
            sock = socket.socket(family, kind, protocol)
            try:
                sock.settimeout(min(_left(deadline), CONNECT_SECONDS))
                sock.connect(address)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.settimeout(_left(deadline))
                return self._tls.wrap_socket(sock, server_hostname=self._host) if self._tls else sock
            except OSError as error:
                sock.close()
                last = error
        raise last


class _Timed:
    """A connected socket as http.client uses one; each send and read waits no longer than the deadline."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock, self._deadline = sock, deadline

    def sendall(self, data: bytes) -> None:
        self._sock.settimeout(_left(self._deadline))
        self._sock.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reads(self._sock, self._deadline))

    def close(self) -> None:
        """The transport closes the socket, or keeps it."""


class _Reads(io.RawIOBase):
    def __init__(self, sock: socket.socket, deadline: float) -> None:
        super().__init__()
        self._sock, self._deadline = sock, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(_left(self._deadline))
        return self._sock.recv_into(buffer)


def _readable(sock: socket.socket) -> bool:
    with _Selector() as selector:
        selector.register(sock, selectors.EVENT_READ)
        return bool(selector.select(0))


def _left(deadline: float) -> float:
    """Seconds, never none: a timeout of 0 would mean not to wait at all. Raises TimeoutError."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left


def _told(error: BaseException) -> str:
    return str(error) or type(error).__name__
