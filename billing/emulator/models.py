"""The local Stripe's rows. One table holds every object as Stripe would show it."""

from __future__ import annotations

from typing import Any

from django.db import models


class Record(models.Model):
    """One Stripe object. `data` is what the API shows, `hidden` what it does not."""

    id = models.BigAutoField(primary_key=True)  # also the order of making: lists are newest first
    stripe_id = models.CharField(max_length=255, unique=True)
    kind = models.CharField(max_length=64)
    parent = models.CharField(max_length=255, default="")  # a price's product, an invoice's subscription...
    customer = models.CharField(max_length=255, default="")
    key = models.CharField(max_length=255, default="")  # a price's lookup key, a promotion code, an event's type
    created = models.BigIntegerField()  # world time, Unix seconds
    due_at = models.BigIntegerField(null=True)  # when time will do something to it by itself
    test_clock = models.CharField(max_length=255, default="")  # whose time that is; "" is the world's
    deleted = models.BooleanField(default=False)
    data: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)
    hidden: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["kind", "-id"], name="ls_list_of_a_kind"),
            models.Index(fields=["kind", "parent", "-id"], name="ls_list_of_a_parent"),
            models.Index(fields=["kind", "customer", "-id"], name="ls_list_of_a_customer"),
            models.Index(fields=["kind", "key", "-id"], name="ls_found_by_key"),
            models.Index(
                fields=["test_clock", "due_at"], condition=models.Q(due_at__isnull=False), name="ls_what_is_due_next"
            ),
        ]

    def __str__(self) -> str:
        return self.stripe_id


class Delivery(models.Model):
    """One event on its way to one endpoint: an outbox row. Times are wall time, Unix seconds."""

    class State(models.TextChoices):
        WAITING = "waiting"
        DELIVERED = "delivered"
        FAILED = "failed"  # tried for three days, or its endpoint is gone

    event = models.ForeignKey(Record, models.CASCADE, related_name="+")
    endpoint = models.ForeignKey(Record, models.CASCADE, related_name="+")
    state = models.CharField(max_length=12, choices=State, default=State.WAITING)
    first_due_at = models.FloatField()
    due_at = models.FloatField()
    tries = models.PositiveIntegerField(default=0)
    last_status = models.PositiveIntegerField(null=True)
    last_error = models.CharField(max_length=255, default="")

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(state="waiting"), name="ls_deliveries_due"),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} -> {self.endpoint_id}: {self.state}"


class IdempotencyKey(models.Model):
    """A POST's key with its answer; without one while the call is in flight. Times are wall time."""

    key = models.CharField(max_length=255, unique=True)
    fingerprint = models.CharField(max_length=64)  # of verb, path and parameters
    claimed_at = models.FloatField()
    status = models.PositiveIntegerField(null=True)
    body = models.TextField(default="")
    request_id = models.CharField(max_length=64, default="")

    def __str__(self) -> str:
        return self.key
