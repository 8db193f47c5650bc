"""What every test stands on: the stopped clock, both databases, no way out to the network.

What must be there before the settings are read is in installation.py.
"""

from __future__ import annotations

import ipaddress
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.cache import cache

from billing import account
from membership import card_token
from perks import auth, decisions, fresh
from tests import emptying
from tests.moment import Clock
from tests.processes import Redis

if TYPE_CHECKING:
    from collections.abc import Iterator

DATABASE_FIXTURES = (
    "db",
    "transactional_db",
    "django_db_reset_sequences",
    "django_db_serialized_rollback",
    "live_server",
)
emptying.use()


EMULATOR = Path(__file__).parent / "emulator"
LOCAL_STRIPE_ALONE = frozenset({"local_stripe"})


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--asking-the-database",
        action="store_true",
        help="leave out what never asks the product's database and ends alike on SQLite and on PostgreSQL",
    )


def pytest_itemcollected(item: pytest.Item) -> None:
    """A test that touches the database may touch each of them: ours and the local Stripe's.

    The local Stripe knows nothing of the product: its own tests have its database only, and Django holds them to it.
    """
    mark = item.get_closest_marker("django_db")
    asked = [name for name in DATABASE_FIXTURES if name in getattr(item, "fixturenames", ())]
    if mark is None and not asked:
        return
    options: dict[str, Any] = dict(mark.kwargs) if mark else {"transaction": asked != ["db"]}
    options.setdefault("databases", LOCAL_STRIPE_ALONE if item.path.is_relative_to(EMULATOR) else "__all__")
    item.add_marker(pytest.mark.django_db(*(mark.args if mark else ()), **options), append=False)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--asking-the-database"):
        config.hook.pytest_deselected(items=[item for item in items if not asks_our_database(item)])
        items[:] = [item for item in items if asks_our_database(item)]


def asks_our_database(item: pytest.Item) -> bool:
    """Whether it may: pytest-django refuses every database to a test without the mark, Django each not named there."""
    mark = item.get_closest_marker("django_db")
    return mark is not None and mark.kwargs["databases"] != LOCAL_STRIPE_ALONE


@pytest.fixture
def clock() -> Iterator[Clock]:
    """The product's clock, stopped at Clock.START; `clock.move_to(moment)`, `clock.move(days=1)`."""
    stopped = Clock()
    yield stopped
    stopped.go_on()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    """A redis-server of our own."""
    server = Redis(tmp_path)
    yield server
    server.go()


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    """What a process remembers (rate limits, keys, the catalogue) must not reach the next test."""
    yield
    cache.clear()
    fresh.forget_all()
    decisions.forget()
    auth.forget_guesses()
    account.forget()
    card_token.forget_keys()


@pytest.fixture(autouse=True, scope="session")
def _no_way_out() -> Iterator[None]:
    """Nothing but this machine can be reached."""
    connect, connect_ex, resolve = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def guarded(real: Any) -> Any:
        def act(self: socket.socket, address: Any) -> Any:
            if self.family in (socket.AF_INET, socket.AF_INET6):
                refuse_strangers(address[0])
            return real(self, address)

        return act

    def guarded_resolve(host: Any, *args: Any, **kwargs: Any) -> Any:
        refuse_strangers(host)
        return resolve(host, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded(connect))
        patch.setattr(socket.socket, "connect_ex", guarded(connect_ex))
        patch.setattr(socket, "getaddrinfo", guarded_resolve)
        yield


class WayOutRefused(RuntimeError):
    """A test tried to reach a machine other than this one."""


def refuse_strangers(host: str | bytes | None) -> None:
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost"):
        return
    try:
        home = ipaddress.ip_address(str(name)).is_loopback
    except ValueError:
        home = False
    if not home:
        raise WayOutRefused(f"tests reach nothing but this machine, not {name}")
