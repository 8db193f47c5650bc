"""What staff are about to offer: drafts of perks as each was saved, and what was published of them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from perks.models.catalogue import Perk


class PerkDraft(models.Model):
    """A perk as somebody would have it: a row each time that it is saved, so that nobody's work is ever lost.

    The newest row of a perk is its draft, until it is published or thrown away (`outcome`). `base` is what was on
    sale when it was saved, `content` what is to be (both of the shape that drafts.on_sale makes).
    """

    class Outcome(models.TextChoices):
        PUBLISHED = "published"
        DISCARDED = "discarded"

    perk = models.ForeignKey(Perk, on_delete=models.CASCADE, related_name="drafts")
    number = models.PositiveIntegerField()
    base = models.JSONField()
    content = models.JSONField()
    author = models.CharField(max_length=64)
    saved_at = models.DateTimeField()
    outcome = models.CharField(max_length=9, choices=Outcome, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["perk", "number"]
        constraints = [
            models.UniqueConstraint(fields=["perk", "number"], name="one_draft_per_number"),
            models.CheckConstraint(
                condition=Q(outcome="", closed_at=None) | (~Q(outcome="") & Q(closed_at__isnull=False)),
                name="closed_draft_says_how",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.perk} draft {self.number}"


class Publication(models.Model):
    """A draft that was published, on its way to those whom it reaches: renewals that are awaited follow it, and the
    memberships in the tiers `now_for` (codes) have it at once.

    `upto`: every membership with a key up to it is done; `reached`: how many of them got something at once;
    `left_out`: the keys of those that could not be dealt with, for a person to look at.
    """

    draft = models.OneToOneField(PerkDraft, on_delete=models.PROTECT, related_name="publication")
    now_for = models.JSONField(default=list)
    actor = models.CharField(max_length=64)
    published_at = models.DateTimeField()
    upto = models.PositiveBigIntegerField(default=0)
    reached = models.PositiveIntegerField(default=0)
    left_out = models.JSONField(default=list)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["published_at", "pk"]
        indexes = [
            models.Index(fields=["published_at"], condition=Q(done_at=None), name="publications_on_their_way"),
        ]

    def __str__(self) -> str:
        return f"publication of {self.draft}"
