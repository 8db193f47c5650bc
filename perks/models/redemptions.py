"""What was used: the value ledger. One row is one use of a perk on one order."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from perks.models.grants import Grant
from perks.models.shops import Shop


class Redemption(models.Model):
    """One use of a perk: held for an order, committed when it is paid, released, returned, or expired uncommitted.

    A limited perk takes a numbered slot of its allowance period, so that the database decides races. `worth` to the
    member and `cost` to the shop are minor units of `currency`.
    """

    class Status(models.TextChoices):
        HELD = "held"
        COMMITTED = "committed"
        RELEASED = "released"
        RETURNED = "returned"
        EXPIRED = "expired"

    grant = models.ForeignKey(Grant, on_delete=models.PROTECT, related_name="redemptions")
    shop = models.ForeignKey(Shop, on_delete=models.PROTECT, related_name="redemptions")
    status = models.CharField(max_length=9, choices=Status, default=Status.HELD)
    period = models.CharField(max_length=16)
    slot = models.PositiveSmallIntegerField(null=True, blank=True)
    allowance = models.PositiveSmallIntegerField(null=True, blank=True)
    idempotency_key = models.CharField(max_length=120)
    request_hash = models.CharField(max_length=64)
    order_ref = models.CharField(max_length=120)
    decision_ref = models.CharField(max_length=40, blank=True)
    worth = models.PositiveBigIntegerField(default=0)
    cost = models.PositiveBigIntegerField(default=0)
    currency = models.CharField(max_length=3)
    held_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    committed_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["expires_at"], condition=Q(status="held"), name="holds_that_expire"),
            models.Index(fields=["order_ref"], name="redemptions_of_an_order"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["grant", "period", "slot"],
                condition=Q(status__in=["held", "committed"]),
                name="one_live_redemption_per_slot",
            ),
            models.UniqueConstraint(
                fields=["shop", "idempotency_key", "grant"], name="one_redemption_per_idempotency_key"
            ),
            models.CheckConstraint(
                condition=Q(slot=None, allowance=None) | Q(slot__gte=1, slot__lte=F("allowance")),
                name="slot_lies_within_its_allowance",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["committed", "returned"]) | Q(committed_at__isnull=False),
                name="committed_redemption_says_when",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["held", "committed"], closed_at=None)
                | (~Q(status__in=["held", "committed"]) & Q(closed_at__isnull=False)),
                name="closed_redemption_says_when",
            ),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="redemption_currency_is_iso"),
        ]

    def __str__(self) -> str:
        return f"redemption {self.pk}"


LIVE = (Redemption.Status.HELD, Redemption.Status.COMMITTED)
