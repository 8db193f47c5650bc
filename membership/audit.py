"""Audit: who changed money, a right or a role. Rows are added in the change's own transaction and never edited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from membership.models import AuditEntry

if TYPE_CHECKING:
    from datetime import datetime


def write(*, actor: str, verb: str, subject: str, at: datetime, data: dict[str, Any] | None = None) -> None:
    """Record that `actor` ("staff:3", "member:12", "stripe", "system") did `verb` to `subject` ("membership:7")."""
    AuditEntry.objects.create(actor=actor, verb=verb, subject=subject, at=at, data=data or {})
