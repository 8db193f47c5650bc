"""Timeline: one member's whole story, a row a fact, written by every app in the transaction of the change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from membership.models import TimelineEntry

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from membership.models import Member


def write(
    *,
    member: Member,
    kind: str,
    at: datetime,
    actor: str,
    data: dict[str, Any] | None = None,
    source_ref: str = "",
) -> None:
    """Record one fact. With a `source_ref` the same fact told twice is kept once. `data`: ids and facts, no names."""
    TimelineEntry.objects.bulk_create(
        [TimelineEntry(member=member, kind=kind, at=at, actor=actor, data=data or {}, source_ref=source_ref)],
        ignore_conflicts=bool(source_ref),
    )


def write_all(entries: Iterable[TimelineEntry]) -> None:
    """Record many facts in few statements. Each has its `source_ref`, and is kept once."""
    told = list(entries)
    assert all(entry.source_ref for entry in told)
    TimelineEntry.objects.bulk_create(told, ignore_conflicts=True, batch_size=1_000)
