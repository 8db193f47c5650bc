"""Who we are at Stripe, who a member is there, and what a price is called there."""

from __future__ import annotations

from django.db import models

from membership.models import Member, Price


class StripeAccount(models.Model):
    """The one account and mode this database belongs to, written at first sight: a clone or a wrong key is noticed."""

    stripe_id = models.CharField(max_length=64, unique=True)
    livemode = models.BooleanField(default=False)
    first_seen_at = models.DateTimeField()


class Customer(models.Model):
    """A member's customer at Stripe. Its currency is pinned by the first invoice."""

    member = models.OneToOneField(Member, on_delete=models.PROTECT, related_name="customer")
    stripe_id = models.CharField(max_length=64, unique=True)
    currency = models.CharField(max_length=3, blank=True)


class StripePrice(models.Model):
    """The Stripe Price that charges one of our prices; found again by its lookup key."""

    price = models.OneToOneField(Price, on_delete=models.PROTECT, related_name="stripe")
    stripe_id = models.CharField(max_length=64, unique=True)
    lookup_key = models.CharField(max_length=120, unique=True)
