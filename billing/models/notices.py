"""Notice: what a member is owed to be told before or while money is asked for, as a row with a window and a proof."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from billing.models.subscriptions import Invoice
from membership.models import Membership, Message, Term, Work


class Notice(Work):
    """One step of one kind, about the renewal that follows `term`. Due from `due_at`, in time until `latest_at`.

    Planned: nothing in `announced`, not done. Sent: `message` carried it and `announced` says what it said, so that a
    fact that changes afterwards is seen and told anew (`issue` counts). Skipped: done, with the reason.
    """

    swept_by = "send notices"

    class Kind(models.TextChoices):
        RENEWAL = "renewal"  # the law's: before a charge
        DUNNING = "dunning"  # a payment failed; `invoice` is the one

    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="notices")
    kind = models.CharField(max_length=8, choices=Kind)
    term = models.ForeignKey(Term, on_delete=models.PROTECT, related_name="+")
    step = models.CharField(max_length=16)
    invoice = models.ForeignKey(Invoice, null=True, blank=True, on_delete=models.PROTECT, related_name="notices")
    latest_at = models.DateTimeField()
    announced = models.JSONField(default=dict, blank=True)
    issue = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)  # the first issue
    message = models.ForeignKey(Message, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    skipped_reason = models.CharField(max_length=40, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True)  # a person has seen to it; the audit says who and why

    class Meta(Work.Meta):
        indexes = [
            *Work.Meta.indexes,
            models.Index(
                fields=["due_at", "id"], condition=Q(done_at=None, seen_at=None), name="notices_that_are_stuck"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["membership", "kind", "term", "step"], name="one_notice_per_membership_kind_term_and_step"
            ),
            models.CheckConstraint(
                condition=Q(kind="dunning", invoice__isnull=False) | (~Q(kind="dunning") & Q(invoice=None)),
                name="dunning_names_its_invoice",
            ),
            models.CheckConstraint(
                condition=Q(issue=0, message=None) | Q(issue__gte=1, message__isnull=False),
                name="sent_notice_has_its_message",
            ),
            models.CheckConstraint(
                condition=Q(issue=0) | Q(skipped_reason=""), name="notice_is_sent_or_skipped_not_both"
            ),
        ]

    def __str__(self) -> str:
        return f"notice {self.pk} ({self.kind} {self.step})"

    @property
    def was_sent(self) -> bool:
        return self.issue > 0
