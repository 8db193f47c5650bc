"""The concierge: when somebody is at the desk, what members asked, and what was written back and forth.

Only perks.concierge writes requests, entries and files here.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from membership.models import Member, Staff
from perks.models.redemptions import Redemption

DAY_OF_MINUTES = 24 * 60


class WorkingHours(models.Model):
    """A stretch of a weekday (0: Monday) in which the desk is open, [opens, closes) in minutes of the house's local
    time since midnight. A day may have several; a night shift is one until midnight and one from it."""

    weekday = models.PositiveSmallIntegerField()
    opens = models.PositiveSmallIntegerField()
    closes = models.PositiveSmallIntegerField()

    class Meta:
        verbose_name_plural = "working hours"
        ordering = ["weekday", "opens"]
        constraints = [
            models.UniqueConstraint(fields=["weekday", "opens"], name="one_stretch_per_weekday_and_opening"),
            models.CheckConstraint(condition=Q(weekday__lte=6), name="weekday_is_one_of_seven"),
            models.CheckConstraint(
                condition=Q(closes__gt=F("opens"), closes__lte=DAY_OF_MINUTES), name="desk_closes_after_it_opens"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.weekday}: {self.opens}-{self.closes}"


class Holiday(models.Model):
    """A local day on which nobody is at the desk."""

    day = models.DateField(unique=True)
    name = models.CharField(max_length=80)

    class Meta:
        ordering = ["day"]

    def __str__(self) -> str:
        return f"{self.day:%Y-%m-%d}"


class DeskChange(models.Model):
    """That hours or holidays were set anew. Numbers are taken once: of two who looked at the same, one changes it."""

    number = models.PositiveIntegerField()
    author = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["number"], name="one_desk_change_per_number")]

    def __str__(self) -> str:
        return f"desk {self.number}"


class ConciergeRequest(models.Model):
    """What a member asked. Its `use` of the perk is held while it is open, and committed once: when it is first closed.

    `due_at`: until when an answer is owed, as it was promised when they wrote; None: nobody waits. `answer_hours` are
    the working hours that were sold. `reply_token` stands in the address that answers by mail are sent from.
    """

    ident = models.CharField(max_length=32, unique=True)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="concierge_requests")
    use = models.OneToOneField(Redemption, on_delete=models.PROTECT, related_name="concierge_request")
    subject = models.CharField(max_length=120)
    opened_at = models.DateTimeField()
    answer_hours = models.PositiveSmallIntegerField()
    due_at = models.DateTimeField(null=True, blank=True)
    first_answered_at = models.DateTimeField(null=True, blank=True)
    claimed_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    claimed_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    reply_token = models.CharField(max_length=32, unique=True)

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], condition=Q(closed_at=None), name="requests_by_due_time"),
            models.Index(fields=["member", "-opened_at"], name="requests_of_a_member"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(closed_at=None) | Q(due_at=None, claimed_by=None), name="closed_request_owes_nothing"
            ),
            models.CheckConstraint(
                condition=Q(claimed_by=None, claimed_at=None) | Q(claimed_by__isnull=False, claimed_at__isnull=False),
                name="claimed_request_says_since_when",
            ),
        ]

    def __str__(self) -> str:
        return f"request {self.pk}"


class ConciergeEntry(models.Model):
    """One line of a request, in order. Members read questions and answers; notes and closings are for staff.
    `once` names the filling-in of the form it was sent with."""

    class Kind(models.TextChoices):
        QUESTION = "question"
        ANSWER = "answer"
        NOTE = "note"
        CLOSED = "closed"
        REOPENED = "reopened"

    request = models.ForeignKey(ConciergeRequest, on_delete=models.CASCADE, related_name="entries")
    kind = models.CharField(max_length=8, choices=Kind)
    at = models.DateTimeField()
    text = models.TextField(blank=True)
    staff = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    by_mail = models.BooleanField(default=False)
    once = models.CharField(max_length=32, blank=True)

    class Meta:
        verbose_name_plural = "concierge entries"
        ordering = ["at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["request", "once"], condition=~Q(once=""), name="one_concierge_entry_per_sending"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["question", "reopened"]) | Q(staff__isnull=False), name="staff_entry_says_whose"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class ConciergeFile(models.Model):
    """What came with an entry. Kept in the database: written, backed up and erased with its request, and nowhere that
    a web server could hand it out. `media_type` is what its content is, whatever its name said."""

    entry = models.OneToOneField(ConciergeEntry, on_delete=models.CASCADE, related_name="file")
    name = models.CharField(max_length=100)
    media_type = models.CharField(max_length=40)
    size = models.PositiveIntegerField()
    content = models.BinaryField()

    def __str__(self) -> str:
        return f"file {self.pk}"
