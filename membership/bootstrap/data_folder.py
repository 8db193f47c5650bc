"""VIP_DATA: where an installation keeps what it makes. One running installation a folder."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import CommandError, call_command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# What a demo makes and `--fresh` removes, and nothing else: VIP_DATA may be a folder that holds other things too.
# The secret stays, because settings that were read with it are in use.
MADE = (
    "vip.sqlite3*",
    "local_stripe.sqlite3*",
    "queue",
    "cache",
    "clock_offset*",
    "clock_stopped*",
    "clock_moving",
    "demo.json*",
    "demo_key",
    "demo_story.*",
)


@contextlib.contextmanager
def held(part: str = "all") -> Iterator[None]:
    """Have the folder to oneself until the end of the block, or of the process, however it ends.

    Parts that are run alone (web, worker, beat) may share a folder. Raises CommandError when the part runs already.
    """
    folder: Path = settings.VIP_DATA
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ("in_use" if part == "all" else f"in_use_{part}")).open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise CommandError(
                f"{folder} is in use by a running installation (process {file.read().strip() or 'unknown'}): "
                "stop that one, or set VIP_DATA to another folder."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        try:
            yield
        except CommandError:
            _unmake()
            raise


def _unmake() -> None:
    """A start that was refused leaves no folder behind, if the folder is its own and holds nothing yet."""
    nothing_yet = {"secret_key", "in_use", "in_use_web"}
    if settings.VIP_DATA_IS_NEW and {path.name for path in settings.VIP_DATA.iterdir()} <= nothing_yet:
        shutil.rmtree(settings.VIP_DATA)


def empty() -> None:
    """Remove what a demo made. Call it only while the folder is held.

    Raises CommandError when the product's database is a server's: what else is in it is not known here.
    """
    if not settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        raise CommandError(
            "--fresh empties a demo on SQLite only: empty the database that DATABASE_URL names yourself."
        )
    for pattern in MADE:
        for path in settings.VIP_DATA.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def make_queue() -> None:
    """The folder of the file broker, emptied: what was rung for before is found by the first sweep."""
    folder: Path = settings.VIP_DATA / "queue"
    if settings.CELERY["broker_url"].startswith("files:"):
        folder.mkdir(exist_ok=True)
        for message in folder.iterdir():
            message.unlink(missing_ok=True)


def collect_static() -> None:
    """Gather and compress the static files, when one of them changed since the last time."""
    stamp = settings.VIP_DATA / "static.stamp"
    now = _static_fingerprint()
    if stamp.exists() and stamp.read_text(encoding="ascii") == now:
        return
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(now, encoding="ascii")


def _static_fingerprint() -> str:
    told = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            facts = os.stat(storage.path(name))
            told.update(f"{name} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    return told.hexdigest()
