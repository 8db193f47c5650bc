"""Events with numbered places: workshops, dinners, first nights. Which members may book one is a perk's to say.

Places are redemptions; who waits for one stands here. Only perks.seats writes waiting places.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from membership.models import Member
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


class WaitingPlace(models.Model):
    """A member waits for a place at an event that is full, in the order of asking."""

    class Status(models.TextChoices):
        WAITING = "waiting"
        SEATED = "seated"
        LEFT = "left"
        PASSED = "passed"  # when it was their turn, their membership no longer held the perk

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="waiting")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="waiting_places")
    status = models.CharField(max_length=7, choices=Status, default=Status.WAITING)
    asked_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["asked_at", "pk"]
        indexes = [
            models.Index(fields=["event", "asked_at"], condition=Q(status="waiting"), name="waiting_list_of_an_event"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["event", "member"], condition=Q(status="waiting"), name="one_waiting_place_per_event_and_member"
            ),
            models.CheckConstraint(
                condition=Q(status="waiting", settled_at=None) | (~Q(status="waiting") & Q(settled_at__isnull=False)),
                name="settled_waiting_place_says_when",
            ),
        ]

    def __str__(self) -> str:
        return f"waiting place {self.pk}"
