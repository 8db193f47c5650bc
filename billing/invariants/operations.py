"""I12: whatever we asked of Stripe has an end."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import Count

from billing.models import Operation
from membership import clock
from membership.invariants import invariant

DAY = timedelta(hours=24, minutes=10)  # the janitor looks when a day is over, and may be ten minutes late


@invariant("I12", "each Operation has a unique key; none is unknown for more than 24 hours")
def operations_end() -> Iterable[str]:
    for row in Operation.objects.values("key").annotate(n=Count("pk")).filter(n__gt=1):
        yield f"key {row['key']} was used by {row['n']} operations"
    for operation in Operation.objects.filter(state=Operation.State.UNKNOWN, asked_at__lt=clock.now() - DAY):
        yield f"operation {operation.pk} ({operation.kind}) is unknown since {operation.asked_at:%Y-%m-%d %H:%M}"
