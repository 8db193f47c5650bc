"""Audit: who changed money, a right or a role. Rows are added in the change's own transaction and never edited."""

from __future__ import annotations

import contextlib
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from membership.models import AuditEntry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

_reason: ContextVar[str] = ContextVar("reason", default="")


@contextlib.contextmanager
def because(reason: str) -> Iterator[None]:
    """Whatever is recorded inside carries `reason`: in the very row of the change, so neither stands alone."""
    before = _reason.set(reason)
    try:
        yield
    finally:
        _reason.reset(before)


def write(*, actor: str, verb: str, subject: str, at: datetime, data: dict[str, Any] | None = None) -> None:
    """Record that `actor` ("staff:3", "member:12", "stripe", "system") did `verb` to `subject` ("membership:7")."""
    said = {"reason": reason} if (reason := _reason.get()) else {}
    AuditEntry.objects.create(actor=actor, verb=verb, subject=subject, at=at, data=said | (data or {}))
