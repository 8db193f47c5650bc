"""The nightly comparison with Stripe's lists: how far a run is, and what it found."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from membership.models import Member


class ReconcileRun(models.Model):
    """One walk through Stripe's lists and ours. It goes on where it stopped: `walk` names the list, `cursor` the row.

    `since`: lists that can be cut by age are walked from a while before this moment; None: all of them.
    """

    since = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField()
    started_wall = models.DateTimeField()  # the same in wall time, beside which mirrors note their reads
    finished_at = models.DateTimeField(null=True, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)  # wall time; guards a process
    walk = models.CharField(max_length=24, blank=True)
    cursor = models.CharField(max_length=100, blank=True)
    seen = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-started_at", "-pk"]
        indexes = [models.Index(fields=["started_at"], condition=Q(finished_at=None), name="reconciliations_to_go_on")]

    def __str__(self) -> str:
        return f"reconcile run {self.pk}"


class ReconcileFinding(models.Model):
    """One object that differed. `said`: what differed, or why it could not be mended; ids and facts, no names.

    `waits`: a person is to look at it, until `seen_at`; the newest finding of an object waits in place of older ones.
    """

    class Outcome(models.TextChoices):
        REPAIRED = "repaired"
        RAISED = "raised"  # staff must look
        FAILED = "failed"  # something went wrong on the way; the next run meets it again

    run = models.ForeignKey(ReconcileRun, on_delete=models.CASCADE, related_name="findings")
    outcome = models.CharField(max_length=8, choices=Outcome)
    walk = models.CharField(max_length=24)
    object_id = models.CharField(max_length=100)
    member = models.ForeignKey(Member, null=True, on_delete=models.PROTECT, related_name="+")
    said = models.CharField(max_length=400)
    found_at = models.DateTimeField()
    waits = models.BooleanField(default=False)
    seen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["found_at", "id"], condition=Q(waits=True), name="findings_that_wait")]
        constraints = [
            models.UniqueConstraint(fields=["run", "walk", "object_id"], name="one_finding_per_object_and_run"),
        ]

    def __str__(self) -> str:
        return f"{self.outcome} {self.object_id}"
