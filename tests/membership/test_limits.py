"""Rate limits hold by window, and hold no addresses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from membership import limits
from membership.models import RateCount

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_the_use_after_the_last_is_refused_until_the_window_ends() -> None:
    for _ in range(3):
        limits.hit("door", limit=3, per=HOUR, at=NOON)
    with pytest.raises(limits.TooMany) as refused:
        limits.hit("door", limit=3, per=HOUR, at=NOON + timedelta(minutes=59))
    assert refused.value.details["until"] == NOON + HOUR
    limits.hit("door", limit=3, per=HOUR, at=NOON + HOUR)


def test_doors_are_counted_apart_and_by_digest() -> None:
    limits.hit("mail:ada@example.org", limit=1, per=HOUR, at=NOON)
    limits.hit("mail:bob@example.org", limit=1, per=HOUR, at=NOON)
    assert RateCount.objects.count() == 2
    assert not RateCount.objects.filter(key__contains="@").exists()
