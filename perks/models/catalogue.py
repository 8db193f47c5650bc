"""What is offered: perks, the tiers that carry them, and sales that open earlier for members."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q

from membership.models import Tier
from perks.kinds.base import localized


class Perk(models.Model):
    """A benefit with a code and a kind. `settings` is what its kind's settings model accepts (see perks.kinds)."""

    code = models.SlugField(max_length=40, unique=True)
    names = models.JSONField()
    kind = models.CharField(max_length=32)
    settings = models.JSONField(default=dict)
    position = models.PositiveSmallIntegerField(default=0)
    published = models.BooleanField(default=True)

    class Meta:
        ordering = ["position", "code"]

    def __str__(self) -> str:
        return self.code

    @property
    def name(self) -> str:
        return localized(self.names)


class TierPerk(models.Model):
    """A tier carries a perk. `settings` holds only what differs in this tier (gold opens sales 48 hours early)."""

    tier = models.ForeignKey(Tier, on_delete=models.CASCADE, related_name="tier_perks")
    perk = models.ForeignKey(Perk, on_delete=models.CASCADE, related_name="tier_perks")
    settings = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["perk__position", "perk__code"]
        constraints = [models.UniqueConstraint(fields=["tier", "perk"], name="one_perk_per_tier")]

    def __str__(self) -> str:
        return f"{self.tier}: {self.perk}"

    def sold_settings(self) -> dict[str, Any]:
        """The perk's settings as this tier sells them now."""
        return {**self.perk.settings, **self.settings}


class Sale(models.Model):
    """A sale event, half-open [opens_at, closes_at) for the public; early_access moves its opening for a tier.

    `invited_at`: once all who get in early have been noted (first_access.py), `invited_upto` the last member so far.
    """

    code = models.SlugField(max_length=40, unique=True)
    names = models.JSONField()
    opens_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    published = models.BooleanField(default=True)
    invited_at = models.DateTimeField(null=True, blank=True)
    invited_upto = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ["opens_at", "code"]
        constraints = [
            models.CheckConstraint(condition=Q(closes_at__gt=F("opens_at")), name="sale_closes_after_it_opens"),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def name(self) -> str:
        return localized(self.names)
