"""Message: one mail, kept as a row. messages.py writes it, the worker sends it. What comes in: mail_in.py."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from membership.models.cards import Card
from membership.models.people import Member
from membership.models.work import Work


class Message(Work):
    """A mail as it was written. `key` is unique, so a verb that runs twice writes to nobody twice.

    `bounced_at`: since when it is known that it reached nobody (bounces.py), with what the mail server said of it.
    `seen_at`: a person has seen to it; the audit says who and why.
    """

    swept_by = "send messages"

    key = models.CharField(max_length=160, unique=True)
    kind = models.CharField(max_length=48)
    member = models.ForeignKey(Member, null=True, blank=True, on_delete=models.PROTECT, related_name="messages")
    to = models.EmailField(max_length=254)
    reply_to = models.EmailField(max_length=254, blank=True)
    language = models.CharField(max_length=5)
    subject = models.CharField(max_length=200)
    text = models.TextField()
    html = models.TextField(blank=True)
    attached_card = models.ForeignKey(Card, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    written_at = models.DateTimeField()
    bounced_at = models.DateTimeField(null=True, blank=True)
    bounce_said = models.CharField(max_length=40, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True)

    class Meta(Work.Meta):
        ordering = ["-written_at", "-pk"]
        indexes = [
            *Work.Meta.indexes,
            models.Index(
                fields=["bounced_at", "id"],
                condition=Q(bounced_at__isnull=False, member__isnull=False, seen_at=None),
                name="mails_that_bounced",
            ),
            models.Index(
                fields=["written_at", "id"],
                condition=Q(done_at=None, bounced_at=None, seen_at=None),
                name="mails_that_are_stuck",
            ),
        ]

    def __str__(self) -> str:
        return f"message {self.pk} ({self.kind})"


class IncomingMail(models.Model):
    """A mail that was brought to us, by its message id, and what came of it. Its words are kept where they belong."""

    class Outcome(models.TextChoices):
        TAKEN = "taken"
        NOT_OURS = "not_ours"  # no address of a letter of ours
        WRONG_SENDER = "wrong_sender"
        AUTOMATIC = "automatic"  # nobody wrote it
        REFUSED = "refused"  # too late, too often, or empty

    message_id = models.CharField(max_length=250, unique=True)
    received_at = models.DateTimeField()
    outcome = models.CharField(max_length=12, choices=Outcome)

    class Meta:
        verbose_name_plural = "incoming mail"

    def __str__(self) -> str:
        return self.message_id
