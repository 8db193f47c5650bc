"""What is written beside every change, in its transaction: timeline, search keys, audit. Ids and facts only."""

from __future__ import annotations

from django.db import models

from membership.models.people import Member


class TimelineEntry(models.Model):
    """One line of a member's story. `data` holds facts and ids, never names; words are made when it is read."""

    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="timeline")
    at = models.DateTimeField()
    kind = models.CharField(max_length=48)
    data = models.JSONField(default=dict)
    actor = models.CharField(max_length=64)
    source_ref = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["member", "-at"], name="timeline_of_a_member")]
        constraints = [
            models.UniqueConstraint(
                fields=["member", "kind", "source_ref"],
                condition=~models.Q(source_ref=""),
                name="one_timeline_entry_per_source",
            ),
        ]


class Note(models.Model):
    """What one of the staff noted about a member, for colleagues: no page, mail or file of the member's shows it.

    Never changed; another one corrects it. It is text about a person, so it goes with them: a row apart from timeline
    and audit, which keep its key alone. `once` names the filling-in of the form: what is sent twice is noted once.
    """

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="notes")
    text = models.TextField(max_length=2000)
    written_at = models.DateTimeField()
    written_by = models.CharField(max_length=64)
    once = models.CharField(max_length=32, unique=True)

    def __str__(self) -> str:
        return f"note {self.pk}"


class SearchKey(models.Model):
    """A value by which staff find a member, in the folded form that search.fold() gives."""

    class Kind(models.TextChoices):
        NAME = "name"
        EMAIL = "email"
        NUMBER = "number"
        ORDER = "order"
        STRIPE = "stripe"
        CARD = "card"

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="search_keys")
    kind = models.CharField(max_length=6, choices=Kind)
    value = models.CharField(max_length=254)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["member", "kind", "value"], name="one_search_key_per_value"),
        ]
        # By the whole value and by how it begins. The operator class is PostgreSQL's: without it an index serves no
        # LIKE 'x%' in most locales; SQLite compares bytes anyway.
        indexes = [models.Index(fields=["value"], name="search_by_value_or_start", opclasses=["varchar_pattern_ops"])]


class AuditEntry(models.Model):
    """Who changed money, a right or a role. Append-only; ids, never names, so that erasure leaves it whole.

    The database refuses to change a row (a trigger, migration 0010: where a later migration makes the table anew, as
    SQLite does, it must be put back); one that is taken away or put in between is found by its seal.
    """

    at = models.DateTimeField()
    actor = models.CharField(max_length=64)
    verb = models.CharField(max_length=48)
    subject = models.CharField(max_length=64)
    data = models.JSONField(default=dict)

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = [models.Index(fields=["subject", "at"], name="audit_of_a_subject")]


class AuditSeal(models.Model):
    """What the audit held in its rows (`after`, `upto`], chained to the seal before (seals.py).

    `leaves`: primary key and digest of each row that was there, as pairs; also of rows that came late into the range of
    an earlier seal, as those of a long transaction do. `digest` covers them, the range and the digest before.
    """

    after = models.PositiveBigIntegerField(unique=True)  # of two at once, one seals
    upto = models.PositiveBigIntegerField()
    leaves = models.JSONField()
    digest = models.CharField(max_length=64)
    sealed_at = models.DateTimeField()

    class Meta:
        ordering = ["after"]
        constraints = [
            models.CheckConstraint(condition=models.Q(upto__gt=models.F("after")), name="seal_covers_what_follows"),
        ]

    def __str__(self) -> str:
        return f"seal of {self.after} to {self.upto}"
