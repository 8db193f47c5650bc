"""What we asked Stripe to do: a row with our own idempotency key, committed before the call."""

from __future__ import annotations

from django.db import models

from membership.models import Member


class Operation(models.Model):
    """One creating call. Repeating it sends the same key and the same parameters, so Stripe does it once."""

    class State(models.TextChoices):
        UNKNOWN = "unknown"  # asked, or about to be; no answer kept yet
        DONE = "done"
        REFUSED = "refused"  # by Stripe, or it never got there: nothing was made, and a new key may ask again
        PARKED = "parked"  # nobody could find out; staff must look

    key = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=40)
    member = models.ForeignKey(Member, null=True, on_delete=models.PROTECT, related_name="operations")
    params = models.JSONField(default=dict)
    state = models.CharField(max_length=8, choices=State, default=State.UNKNOWN)
    stripe_id = models.CharField(max_length=100, blank=True)
    error = models.CharField(max_length=500, blank=True)
    asked_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    look_at = models.DateTimeField(null=True, blank=True)  # when the janitor asks next what came of it
    seen_at = models.DateTimeField(null=True, blank=True)  # a person has seen to it; the audit says who and why
    key_good_until = models.DateTimeField(null=True, blank=True)  # wall time; after it Stripe may not know the key

    class Meta:
        indexes = [
            models.Index(fields=["asked_at"], condition=models.Q(state="unknown"), name="operations_unknown"),
            models.Index(fields=["look_at"], condition=models.Q(look_at__isnull=False), name="operations_to_look_at"),
            models.Index(
                fields=["asked_at", "id"],
                condition=models.Q(state="parked", seen_at=None),
                name="operations_that_are_stuck",
            ),
        ]
