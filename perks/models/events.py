"""Events with numbered places: workshops, dinners, first nights. Which members may book one is a perk's to say."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from perks.kinds.base import localized


class Event(models.Model):
    """Something at `starts_at` with `places`, bookable in [booking_opens_at, booking_closes_at).

    Places are taken by redemptions, one each, numbered. In a shop's basket the event is the line with its code as SKU.
    """

    code = models.SlugField(max_length=40, unique=True)
    names = models.JSONField()
    places = models.PositiveIntegerField()
    booking_opens_at = models.DateTimeField()
    booking_closes_at = models.DateTimeField()
    starts_at = models.DateTimeField()
    published = models.BooleanField(default=True)

    class Meta:
        ordering = ["starts_at", "code"]
        constraints = [
            models.CheckConstraint(
                condition=Q(booking_closes_at__gt=F("booking_opens_at")), name="booking_closes_after_it_opens"
            ),
            models.CheckConstraint(
                condition=Q(starts_at__gte=F("booking_closes_at")), name="event_starts_after_booking_closes"
            ),
            models.CheckConstraint(condition=Q(places__gte=1), name="event_has_a_place"),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def name(self) -> str:
        return localized(self.names)
