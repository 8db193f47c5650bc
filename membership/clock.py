"""now(): the only reader of the clock in the product. The setting VIP_CLOCK names the function behind it.

Signatures, login sessions, codes and TOTP use wall time; everything a member is promised uses this.
"""

from __future__ import annotations

import contextlib
import os
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def now() -> datetime:
    """The present moment, aware, UTC. In a demo it is the moved clock."""
    return _source(settings.VIP_CLOCK)()


@cache
def _source(name: str) -> Callable[[], datetime]:
    return import_string(name)  # type: ignore[no-any-return]


def wall() -> datetime:
    """Wall time, UTC."""
    return datetime.now(UTC)


def demo() -> datetime:
    """Wall time plus the demo's offset; while the demo was stopped its clock stood still."""
    return wall() + offset()


def offset() -> timedelta:
    """How far the demo's clock stands from wall time; one small file in VIP_DATA, so every process agrees."""
    try:
        return timedelta(seconds=float(_offset_file().read_text(encoding="ascii")))
    except FileNotFoundError:
        return timedelta()


def set_offset(value: timedelta) -> None:
    """Move the demo's clock."""
    _keep(_offset_file(), value.total_seconds())


def turn_to(moment: datetime) -> None:
    """Set the demo's clock to `moment`; it goes on from there. time_travel.move is how to get there properly."""
    set_offset(moment - wall())


def at(seconds: float) -> datetime:
    """The moment of a Unix time."""
    return datetime.fromtimestamp(seconds, UTC)


def stand_still() -> None:
    """Remember the demo's time, for `go_on`: as it stops and, since it may be killed, while it runs."""
    _keep(_stopped_file(), demo().timestamp())


def go_on() -> None:
    """Let the demo's clock continue from where it stood when the demo stopped."""
    with contextlib.suppress(FileNotFoundError):
        turn_to(at(float(_stopped_file().read_text(encoding="ascii"))))
        _stopped_file().unlink()


def _keep(path: Path, number: float) -> None:
    """Written beside and renamed, so that no reader sees half a number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_text(repr(number), encoding="ascii")
    draft.replace(path)


def _offset_file() -> Path:
    return settings.VIP_DATA / "clock_offset"


def _stopped_file() -> Path:
    return settings.VIP_DATA / "clock_stopped"
