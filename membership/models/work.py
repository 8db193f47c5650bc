"""Work: what any row needs to be due, claimed, tried and done. work.py drains it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from membership import clock


class Work(models.Model):
    """A row that is work. Times are clock.now() moments, but the claim is wall time: it guards a real process."""

    swept_by: ClassVar[str] = ""  # the sweep of BEAT that drains these rows

    due_at = models.DateTimeField()
    claimed_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=500, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    parked_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        abstract = True
        indexes = [
            models.Index(fields=["due_at"], condition=Q(done_at=None, parked_reason=""), name="%(class)s_due"),
        ]


class Setback(models.Model):
    """A row that a sweep could not deal with: it waits until then, so that it keeps no other waiting (sweeps.py)."""

    sweep = models.CharField(max_length=40)
    row = models.BigIntegerField()
    attempts = models.PositiveSmallIntegerField(default=0)
    until = models.DateTimeField()
    last_error = models.CharField(max_length=80, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sweep", "row"], name="one_setback_per_sweep_and_row")]
        indexes = [models.Index(fields=["until"], name="setbacks_to_forget")]


class RateCount(models.Model):
    """How often a door was used in a window; limits.py counts here, atomically, for every process."""

    key = models.CharField(max_length=120)
    window_ends_at = models.DateTimeField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "window_ends_at"], name="one_count_per_window")]
        indexes = [models.Index(fields=["window_ends_at"], name="rate_counts_to_forget")]


class Tick(models.Model):
    """When the sweep last ran to its end: one row a sweep, so that silence can be seen."""

    name = models.CharField(max_length=40, primary_key=True)
    ran_at = models.DateTimeField()
    ran_wall = models.DateTimeField(default=clock.wall)  # the same in wall time: a moved clock is no silence
