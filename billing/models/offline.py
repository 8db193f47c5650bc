"""What a member paid another way than by Stripe, as staff recorded it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from membership.models import Member, Price, Term


class OfflinePayment(models.Model):
    """One payment at the counter or by transfer, by the reference of its receipt, and the one term it bought.

    `amount` in minor units of `currency`. `paid_on` is the day on the receipt, `recorded_at` when it was typed in.
    """

    class Means(models.TextChoices):
        COUNTER = "counter", _("At the counter")
        TRANSFER = "transfer", _("By transfer")

    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="offline_payments")
    term = models.OneToOneField(Term, on_delete=models.PROTECT, related_name="offline_payment")
    price = models.ForeignKey(Price, on_delete=models.PROTECT, related_name="+")
    amount = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    means = models.CharField(max_length=8, choices=Means)
    reference = models.CharField(max_length=60)
    paid_on = models.DateField()
    recorded_at = models.DateTimeField()
    recorded_by = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reference"], name="one_offline_payment_per_reference"),
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="offline_payment_is_of_something"),
        ]
        indexes = [models.Index(fields=["paid_on"], name="offline_payments_by_day")]

    def __str__(self) -> str:
        return f"offline payment {self.reference}"
