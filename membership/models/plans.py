"""What can be bought: tiers (a rank that decides the perks), plans (a tier at an interval), prices."""

from __future__ import annotations

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


class Tier(models.Model):
    """A rank of membership. `rank` orders them, higher is more; `color` names a token of the stylesheet.

    `lines`: what it says of itself on the plans page, by language; empty: nothing (tier_texts.py writes it).
    """

    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=60)
    rank = models.PositiveSmallIntegerField(unique=True)
    color = models.SlugField(max_length=20)
    lines = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["rank"]

    def __str__(self) -> str:
        return self.name

    @property
    def line(self) -> str:
        """In the language of the moment."""
        line: str = self.lines.get(get_language() or "en", "")
        return line


class Plan(models.Model):
    """A tier at an interval. `grace_days`: how long a missed renewal is waited for."""

    class Interval(models.TextChoices):
        YEAR = "year", _("yearly")
        MONTH = "month", _("monthly")
        ONCE = "once", _("one year, once")

    code = models.SlugField(max_length=40, unique=True)
    tier = models.ForeignKey(Tier, on_delete=models.PROTECT, related_name="plans")
    interval = models.CharField(max_length=5, choices=Interval, default=Interval.YEAR)
    grace_days = models.PositiveSmallIntegerField(default=14)
    trial_days = models.PositiveSmallIntegerField(default=0)
    published = models.BooleanField(default=True)

    class Meta:
        ordering = ["tier__rank", "code"]

    def __str__(self) -> str:
        return self.code

    @property
    def renews(self) -> bool:
        return self.interval != self.Interval.ONCE

    @property
    def term_interval(self) -> str:
        """The calendar's interval of one term: a plan bought once lasts a year."""
        return "month" if self.interval == self.Interval.MONTH else "year"


class Price(models.Model):
    """A plan's amount (minor units) and currency. Amounts include tax unless said otherwise."""

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="prices")
    currency = models.CharField(max_length=3)
    amount = models.PositiveIntegerField()
    tax_included = models.BooleanField(default=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "currency"],
                condition=models.Q(retired_at=None),
                name="one_price_per_plan_and_currency",
            ),
            models.CheckConstraint(condition=models.Q(currency__regex=r"^[A-Z]{3}$"), name="price_currency_is_iso"),
        ]

    def __str__(self) -> str:
        return f"{self.plan} {self.amount} {self.currency}"
