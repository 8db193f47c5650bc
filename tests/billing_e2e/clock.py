"""The product's clock while scenarios are played: the newest test clock's time, where it stands or is going."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import DatabaseError

from billing.emulator.models import Record


def now() -> datetime:
    try:
        found = Record.objects.filter(kind="test_helpers.test_clock", deleted=False).order_by("-id").first()
    except DatabaseError:  # while the tables are being made
        found = None
    if found is None:
        return datetime.now(UTC)
    going = found.data["status_details"].get("advancing") or {}
    return datetime.fromtimestamp(going.get("target_frozen_time", found.data["frozen_time"]), UTC)
