"""Message: one mail, kept as a row. messages.py writes it, the worker sends it."""

from __future__ import annotations

from django.db import models

from membership.models.cards import Card
from membership.models.people import Member
from membership.models.work import Work


class Message(Work):
    """A mail as it was written. `key` is unique, so a verb that runs twice writes to nobody twice."""

    swept_by = "send messages"

    key = models.CharField(max_length=160, unique=True)
    kind = models.CharField(max_length=48)
    member = models.ForeignKey(Member, null=True, blank=True, on_delete=models.PROTECT, related_name="messages")
    to = models.EmailField(max_length=254)
    language = models.CharField(max_length=5)
    subject = models.CharField(max_length=200)
    text = models.TextField()
    html = models.TextField(blank=True)
    attached_card = models.ForeignKey(Card, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    written_at = models.DateTimeField()

    class Meta(Work.Meta):
        ordering = ["-written_at", "-pk"]

    def __str__(self) -> str:
        return f"message {self.pk} ({self.kind})"
