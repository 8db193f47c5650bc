"""What was answered: every perk check, kept 13 months so that it can be replayed. decisions.py writes it in batches."""

from __future__ import annotations

from django.db import models

from membership.models import Member
from perks.models.shops import Shop


class Decision(models.Model):
    """A perk check as it was asked and answered: both bodies, as JSON text.

    `as_of`: the moment that a test key asked about (X-Member-Clock), where it was not that of the asking.
    `grants`: the grant that each yes stands on, by the perk's code, for whoever redeems it.
    """

    id = models.CharField(max_length=32, primary_key=True)
    shop = models.ForeignKey(Shop, on_delete=models.CASCADE, related_name="decisions")
    member = models.ForeignKey(Member, on_delete=models.CASCADE, null=True, blank=True, related_name="decisions")
    decided_at = models.DateTimeField()
    question = models.TextField()
    answer = models.TextField()
    as_of = models.DateTimeField(null=True, blank=True)
    grants = models.TextField(default="{}")

    class Meta:
        indexes = [
            models.Index(fields=["decided_at"], name="decisions_to_forget"),
            models.Index(fields=["member", "-decided_at"], name="decisions_about_a_member"),
        ]

    def __str__(self) -> str:
        return self.id
