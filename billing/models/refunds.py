"""Money that came and money that went back: payments, refunds, disputes.

Payments and disputes are mirrors, written by ledger.py alone. A Refund is ours first (refunds.py, with its reason)
and then Stripe's answer; one that was made at Stripe is found there and kept beside ours.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from billing.models.operations import Operation
from billing.models.subscriptions import Invoice
from membership.models import Membership


class Payment(models.Model):
    """One charge that took money. `returned` counts refunds that stand, those only noted too; `disputed` what a
    bank holds or keeps beyond them. Minor units of `currency`; `country` is that of the billing address, if known.
    """

    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="payments")
    invoice = models.ForeignKey(Invoice, null=True, on_delete=models.PROTECT, related_name="payments")
    stripe_id = models.CharField(max_length=64, unique=True)
    intent_id = models.CharField(max_length=64, db_index=True)
    currency = models.CharField(max_length=3)
    captured = models.PositiveIntegerField()
    returned = models.PositiveIntegerField(default=0)
    disputed = models.PositiveIntegerField(default=0)
    country = models.CharField(max_length=2, blank=True)
    paid_at = models.DateTimeField()
    read_at = models.DateTimeField()  # wall time at which the read of this state began

    class Meta:
        ordering = ["paid_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(captured__gte=F("returned") + F("disputed")), name="no_more_goes_back_than_was_paid"
            ),
        ]

    def __str__(self) -> str:
        return f"payment {self.stripe_id}"


class Refund(models.Model):
    """Money given back of one payment: on what basis, with what effect on the term, decided by whom and why.

    Rows with the same `decision` were decided together. `effected_at`: when the effect on the membership was made.
    """

    class Basis(models.TextChoices):
        COOLING_OFF = "cooling_off"
        HOUSE = "house"
        GOODWILL = "goodwill"
        MISPLACED = "misplaced"  # money that had no place here
        STRIPE = "stripe"  # made at Stripe, by whoever has its dashboard

    class Effect(models.TextChoices):
        MONEY_ONLY = "money_only"
        END_NOW = "end_now"
        END_AT = "end_at"

    class State(models.TextChoices):
        NOTED = "noted"  # decided; Stripe has not answered yet
        PENDING = "pending"
        SUCCEEDED = "succeeded"
        FAILED = "failed"  # the bank would not take it: the money is with us again, and still owed
        CANCELED = "canceled"
        REFUSED = "refused"  # Stripe said no; nothing went back

    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="refunds")
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    decision = models.CharField(max_length=64)
    basis = models.CharField(max_length=11, choices=Basis)
    effect = models.CharField(max_length=10, choices=Effect)
    ends_at = models.DateTimeField(null=True, blank=True)
    amount = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    working = models.JSONField(default=list)
    reason = models.TextField(blank=True)
    actor = models.CharField(max_length=64)
    approved_by = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=9, choices=State, default=State.NOTED)
    stripe_id = models.CharField(max_length=64, null=True, blank=True, unique=True)
    operation = models.ForeignKey(Operation, null=True, on_delete=models.PROTECT, related_name="+")
    said = models.CharField(max_length=400, blank=True)  # Stripe's words when it refused or the bank failed; for staff
    decided_at = models.DateTimeField()
    effected_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-decided_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gte=1), name="refund_gives_something_back"),
            models.CheckConstraint(
                condition=Q(effect="end_at", ends_at__isnull=False) | (~Q(effect="end_at") & Q(ends_at=None)),
                name="refund_that_ends_at_a_date_names_it",
            ),
            models.UniqueConstraint(
                fields=["payment"],
                condition=Q(
                    effect__in=["end_now", "end_at"],
                    basis__in=["cooling_off", "house", "goodwill"],
                    state__in=["noted", "pending", "succeeded"],
                ),
                name="one_refund_with_an_end_per_payment",
            ),
            models.UniqueConstraint(fields=["decision", "payment"], name="one_refund_per_decision_and_payment"),
        ]
        indexes = [
            models.Index(
                fields=["decided_at"],
                condition=Q(effected_at=None, state__in=["noted", "pending", "succeeded"]),
                name="refunds_to_carry_out",
            ),
            models.Index(fields=["id"], condition=Q(state="noted"), name="refunds_not_answered"),
        ]

    def __str__(self) -> str:
        return f"refund {self.pk}"

    @property
    def ends_membership(self) -> bool:
        return self.effect != Refund.Effect.MONEY_ONLY


# A refund in one of these states counts as given back.
STANDING = (Refund.State.NOTED, Refund.State.PENDING, Refund.State.SUCCEEDED)


class Dispute(models.Model):
    """A payment contested at the bank. `status` is Stripe's word; an inquiry is one that begins with "warning_"."""

    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="disputes")
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="disputes")
    stripe_id = models.CharField(max_length=64, unique=True)
    amount = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=32)
    reason = models.CharField(max_length=40, blank=True)
    evidence_due_at = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-opened_at", "-pk"]

    def __str__(self) -> str:
        return f"dispute {self.stripe_id}"

    @property
    def is_inquiry(self) -> bool:
        """The bank only asks; nothing was taken."""
        return self.status.startswith("warning_")
