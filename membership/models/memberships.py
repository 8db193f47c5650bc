"""A membership and the facts it is made of. lifecycle.py alone writes here; standing.py reads.

No row says "active now": what a member has at a moment is asked of terms, stops, pauses and the cut.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Prefetch, Q

from membership.models.people import Member
from membership.models.plans import Plan


class Status(models.TextChoices):
    PENDING = "pending"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    ENDED = "ended"


OPEN = (Status.PENDING, Status.ACTIVE, Status.SUSPENDED)


class MembershipQuerySet(models.QuerySet["Membership"]):
    def open(self) -> MembershipQuerySet:
        """Those that hold their member's one slot: pending, active or suspended."""
        return self.filter(status__in=OPEN)

    def with_facts(self) -> MembershipQuerySet:
        """All that standing.py asks about, in five queries."""
        changes = Prefetch("tier_changes", TierChange.objects.select_related("to_plan__tier"))
        terms = Prefetch("terms", Term.objects.select_related("plan__tier").prefetch_related(changes))
        return self.select_related("plan__tier", "member__user").prefetch_related(terms, "stops", "pauses")

    def lock(self, pk: int) -> Membership:
        """The membership, locked for this transaction, then read with its facts.

        Two steps: PostgreSQL re-checks a row it had to wait for against the joined rows it read before, so a lock
        and a join in one query find nothing when the plan was changed meanwhile.
        """
        self.select_for_update().only("pk").get(pk=pk)
        return self.with_facts().get(pk=pk)


class Membership(models.Model):
    """One continuous stay of a member, from joining to ending.

    `plan` is what the next renewal buys. `entitled_until` follows from the terms (first local midnight after the last
    end, exclusive, in `time_zone`). `cut_at` is the moment from which nothing is granted although a term goes on
    (refund with an end, dispute lost).
    """

    class EndReason(models.TextChoices):
        EXPIRED = "expired"  # never paid
        LAPSED = "lapsed"  # ran out; the slot was given back
        REFUNDED = "refunded"
        DISPUTE_LOST = "dispute_lost"
        STAFF = "staff"

    FOR_CAUSE = (EndReason.REFUNDED, EndReason.DISPUTE_LOST, EndReason.STAFF)

    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="memberships")
    status = models.CharField(max_length=9, choices=Status, default=Status.PENDING)
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3)
    renewal_expected = models.BooleanField(default=True)
    time_zone = models.CharField(max_length=64)
    reserved_at = models.DateTimeField()
    entitled_until = models.DateTimeField(null=True, blank=True)
    canceled_at = models.DateTimeField(null=True, blank=True)
    cut_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=12, choices=EndReason, blank=True)

    objects: ClassVar[MembershipQuerySet] = MembershipQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["member"], condition=Q(status__in=OPEN), name="one_open_membership_per_member"
            ),
            models.CheckConstraint(
                condition=Q(status=Status.ENDED, ended_at__isnull=False) | (~Q(status=Status.ENDED) & Q(ended_at=None)),
                name="ended_membership_says_when",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=[Status.ACTIVE, Status.SUSPENDED]) | Q(entitled_until__isnull=False),
                name="active_membership_is_entitled_until_a_moment",
            ),
        ]
        # A condition compares with no list and no parameter: SQLite then sees that the index serves its query.
        indexes = [
            models.Index(
                fields=["entitled_until", "id"],
                condition=Q(ended_at=None, renewal_expected=False),
                name="memberships_that_run_out",
            ),
            models.Index(
                fields=["entitled_until", "id"],
                condition=Q(ended_at=None, renewal_expected=True),
                name="memberships_that_renew",
            ),
            models.Index(fields=["ended_at"], condition=Q(ended_at__isnull=False), name="memberships_that_ended"),
        ]

    def __str__(self) -> str:
        return f"membership {self.pk}"


class Term(models.Model):
    """One period of a membership, half-open [starts_at, ends_at): anchor + ordinal × (every × interval), clamped."""

    class Source(models.TextChoices):
        PAID = "paid"
        TRIAL = "trial"
        GIFT = "gift"
        COMPLIMENTARY = "complimentary"
        OFFLINE = "offline"

    class Interval(models.TextChoices):
        DAY = "day"
        MONTH = "month"
        YEAR = "year"

    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="terms")
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="+")
    source = models.CharField(max_length=13, choices=Source)
    source_ref = models.CharField(max_length=120)
    anchor_at = models.DateTimeField()
    interval = models.CharField(max_length=5, choices=Interval)
    every = models.PositiveSmallIntegerField(default=1)
    ordinal = models.PositiveSmallIntegerField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ["starts_at"]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="term_ends_after_it_starts"),
            models.CheckConstraint(condition=Q(ordinal__gte=1, every__gte=1), name="term_counts_from_one"),
            models.UniqueConstraint(fields=["source_ref"], name="one_term_per_source_ref"),
            models.UniqueConstraint(fields=["membership", "starts_at"], name="one_term_per_start"),
            models.UniqueConstraint(
                fields=["membership", "anchor_at", "ordinal"], name="one_term_per_anchor_and_ordinal"
            ),
        ]

    def __str__(self) -> str:
        return f"term {self.pk}"


class TierChange(models.Model):
    """A change of tier inside a term, with its own invoice; never a term."""

    term = models.ForeignKey(Term, on_delete=models.PROTECT, related_name="tier_changes")
    from_plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="+")
    to_plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField()
    source_ref = models.CharField(max_length=120, unique=True)

    class Meta:
        ordering = ["changed_at", "pk"]


class Stop(models.Model):
    """A reason to suspend, with its source. Suspended = any open stop, so lifting one never lifts another."""

    class Source(models.TextChoices):
        STAFF = "staff"
        DISPUTE = "dispute"
        FRAUD = "fraud"

    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="stops")
    source = models.CharField(max_length=7, choices=Source)
    source_ref = models.CharField(max_length=120)
    opened_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "source_ref"], name="one_stop_per_source_and_reference"),
            models.CheckConstraint(
                condition=Q(lifted_at=None) | Q(lifted_at__gte=F("opened_at")),
                name="stop_is_lifted_after_it_opens",
            ),
        ]


class Pause(models.Model):
    """A rest inside a term, half-open [starts_at, ends_at). The term's anchor moves by its length."""

    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="pauses")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta:
        ordering = ["starts_at"]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gte=F("starts_at")), name="pause_ends_after_it_starts"),
            models.UniqueConstraint(fields=["membership", "starts_at"], name="one_pause_per_start"),
        ]


class Transition(models.Model):
    """A change of a membership's stored status: which verb, when, by whom."""

    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="transitions")
    verb = models.CharField(max_length=32)
    from_status = models.CharField(max_length=9, blank=True)
    to_status = models.CharField(max_length=9)
    at = models.DateTimeField()
    actor = models.CharField(max_length=64)
