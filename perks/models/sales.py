"""Who is written to when a sale opens for them first."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from membership.models import Member, Message
from membership.models.work import Work
from perks.models.catalogue import Sale


class FirstAccess(Work):
    """A member for whom a sale opens before it does for everybody: to be told at `due_at`, in their daytime.

    One row per member and sale, so that nobody is told twice. Done without a `letter`: they do not want one, or it came
    to be that the sale opens for them with everybody. `seen_at`: a person has seen to it; the audit says who and why.
    """

    swept_by = "write first-access letters"

    sale = models.ForeignKey(Sale, on_delete=models.CASCADE, related_name="first_accesses")
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="first_accesses")
    letter = models.ForeignKey(Message, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    seen_at = models.DateTimeField(null=True, blank=True)

    class Meta(Work.Meta):
        indexes = [
            *Work.Meta.indexes,
            models.Index(
                fields=["due_at", "id"], condition=Q(done_at=None, seen_at=None), name="first_accesses_that_are_stuck"
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["sale", "member"], name="one_first_access_per_sale_and_member"),
        ]

    def __str__(self) -> str:
        return f"first access {self.pk}"
