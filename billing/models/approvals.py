"""A refund above the limit, asked by one of the staff, until another one answers."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from membership.models import Membership


class AskedRefund(models.Model):
    """What one clerk asks to give back: the quote as they read it (`mark`: what it gives back of which payment), why,
    and until when it may be answered. `answer` "" waits; whether it has expired is asked of `expires_at`.

    `once` names the form that it was asked in; `decision` the refund that came of it.
    """

    class Answer(models.TextChoices):
        APPROVED = "approved"
        DECLINED = "declined"
        OVERTAKEN = "overtaken"  # expired, or asked anew
        WITHDRAWN = "withdrawn"  # by who asked

    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="asked_refunds")
    amount = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    mark = models.CharField(max_length=400)
    effect = models.CharField(max_length=10)
    reason = models.CharField(max_length=200)
    once = models.CharField(max_length=64, unique=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    answer = models.CharField(max_length=9, choices=Answer, blank=True)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=200, blank=True)
    decision = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(answer__in=["approved", "declined"])
                | Q(answered_by__isnull=False, answered_at__isnull=False) & ~Q(answered_by=F("asked_by")),
                name="another_person_answers_an_asked_refund",
            ),
            models.CheckConstraint(
                condition=Q(answer="approved") ^ Q(decision=""), name="only_an_approved_refund_has_its_decision"
            ),
            models.UniqueConstraint(fields=["membership"], condition=Q(answer=""), name="one_asked_refund_waits"),
            models.UniqueConstraint(
                fields=["decision"], condition=~Q(decision=""), name="one_asked_refund_per_decision"
            ),
        ]
        indexes = [
            models.Index(fields=["asked_at", "id"], condition=Q(answer=""), name="asked_refunds_that_wait"),
        ]

    def __str__(self) -> str:
        return f"asked refund {self.pk}"
