"""The shops' client: at the API through Django's whole chain, and at a server that answers as a test says."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections import deque
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from perks import client as shops
from perks import keys
from tests.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from django.test import Client as Browser


PATIENT = {"seconds": 20.0, "changing_seconds": 20.0}


class Inside:
    """Carries requests to the API without a socket. `lost`: how many answers are lost once they are given.
    `away`: nothing gets through."""

    def __init__(self, browser: Browser) -> None:
        self.browser, self.lost, self.away = browser, 0, False
        self.carried: list[shops.Sent] = []

    def __call__(self, sent: shops.Sent) -> shops.Received:
        self.carried.append(sent)
        if self.away:
            raise shops.Failed("connection refused", unsent=True)
        headers = {name: value for name, value in sent.headers.items() if name != "Content-Type"}
        response = self.browser.generic(
            sent.method, sent.target, sent.body or b"", content_type="application/json", headers=headers
        )
        if self.lost:
            self.lost -= 1
            raise shops.Failed("the answer was lost", unsent=False)
        return shops.Received(
            response.status_code, {k.lower(): v for k, v in response.headers.items()}, response.content
        )


@pytest.fixture
def inside(client: Browser) -> Inside:
    return Inside(client)


@pytest.fixture
def told() -> list[shops.Exchange]:
    """Every try, as the hook was told."""
    return []


@pytest.fixture
def till(db: None, clock: Any, inside: Inside, told: list[shops.Exchange]) -> shops.Client:
    """A shop's client with a key for everything."""
    key = keys.create(shop_name="Loden & Sons", scopes=list(keys.SCOPES), at=clock.now, actor="test")
    return shops.Client(
        "http://testserver", key, transport=inside, on_exchange=told.append, now=lambda: clock.now, seconds=20
    )


@pytest.fixture
def basket() -> shops.Basket:
    """The example of the documentation."""
    line = shops.Line(id="1", sku="COAT-9", quantity=1, unit_amount=12900, categories=["coats"])
    shipping = shops.Shipping(country="NL", method="standard", amount=495)
    return shops.Basket(currency="EUR", lines=[line], shipping=shipping)


def answer(status: int = 200, body: str = "[]", **headers: str) -> bytes:
    """A whole answer. Names of headers with _ for -."""
    told = {"Content-Length": str(len(body.encode())), "Content-Type": "application/json", **headers}
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in told.items())
    return f"HTTP/1.1 {status} Told\r\n{lines}\r\n{body}".encode()


class Told:
    """A real server on this machine that answers request by request as a test says: bytes, sent at once; a list, sent
    bit by bit with a pause between; None, the connection is closed; a number, silence for so many seconds first."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.context = context
        self.answers: deque[bytes | list[bytes] | float | None] = deque()
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.connections = 0
        self.stop = threading.Event()
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.server.getsockname()[1]}"
        self.threads = [threading.Thread(target=self._serve, daemon=True)]
        self.threads[0].start()

    def says(self, *answers: bytes | list[bytes] | float | None) -> None:
        self.answers.extend(answers)

    def close(self) -> None:
        self.stop.set()
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        for thread in self.threads:
            thread.join(5)

    def _serve(self) -> None:
        while not self.stop.is_set():
            try:
                connection, _address = self.server.accept()
            except OSError:
                return
            self.connections += 1
            self.threads.append(threading.Thread(target=self._talk, args=(connection,), daemon=True))
            self.threads[-1].start()

    def _talk(self, connection: socket.socket) -> None:
        connection.settimeout(30)
        if self.context:
            try:
                connection = self.context.wrap_socket(connection, server_side=True)
            except OSError:
                connection.close()
                return
        with connection, connection.makefile("rb") as read:
            while (request := self._request(read)) is not None:
                self.requests.append(request)
                told = self.answers.popleft()
                if isinstance(told, float):
                    self.stop.wait(told)
                    return
                if told is None:
                    return
                for part in told if isinstance(told, list) else [told]:
                    try:
                        connection.sendall(part)
                    except OSError:
                        return
                    if isinstance(told, list):
                        self.stop.wait(0.05)

    def _request(self, read: Any) -> tuple[str, dict[str, str], bytes] | None:
        try:
            first = read.readline().decode().strip()
            if not first:
                return None
            headers = {}
            while line := read.readline().decode().strip():
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
            return first, headers, read.read(int(headers.get("content-length", 0)))
        except OSError:
            return None


@pytest.fixture
def server() -> Iterator[Told]:
    server = Told()
    yield server
    server.close()


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[Told, ssl.SSLContext]]:
    """Such a server behind TLS as localhost, and what trusts its certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    built = x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1))
    built = built.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    certificate = built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    file = tmp_path / "server.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    server = Told(context)
    yield server, ssl.create_default_context(cadata=certificate.decode())
    server.close()


@pytest.fixture
def asks(server: Told, told: list[shops.Exchange]) -> Iterator[shops.Client]:
    """A client of that server. It has time: only the tests of the budget may hang on how fast this machine is."""
    transport = shops.HttpTransport(server.url)
    yield shops.Client(server.url, "vip_test_x", transport=transport, on_exchange=told.append, **PATIENT)
    transport.close()


@pytest.fixture
def nobody() -> str:
    """An address where nobody listens."""
    return f"http://127.0.0.1:{free_port()}"


def seconds_of(act: Any) -> float:
    began = time.monotonic()
    act()
    return time.monotonic() - began
