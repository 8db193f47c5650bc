"""The inbox: every event Stripe sent, once."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from membership.models import Work


class StripeEvent(Work):
    """An event as a hint: which object to read again. Stored, answered 200, then worked off. `seen_at`: a person has
    seen to it where it has no place; the audit says who and why."""

    swept_by = "work off the inbox"

    stripe_id = models.CharField(max_length=64)
    type = models.CharField(max_length=80)
    object_id = models.CharField(max_length=100)
    payload = models.JSONField()
    received_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True, blank=True)

    class Meta(Work.Meta):
        indexes = [
            *Work.Meta.indexes,
            models.Index(
                fields=["due_at"], condition=Q(done_at=None) & ~Q(parked_reason=""), name="events_to_try_again"
            ),
            models.Index(
                fields=["received_at", "id"], condition=Q(done_at=None, seen_at=None), name="events_that_are_stuck"
            ),
        ]
        constraints = [models.UniqueConstraint(fields=["stripe_id"], name="each_event_is_stored_once")]

    def __str__(self) -> str:
        return f"{self.stripe_id} {self.type}"
