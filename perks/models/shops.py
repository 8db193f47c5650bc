"""Who asks: shops, their keys, and the ids by which they know our members."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from membership.models import Member

LIVE_KEYS_PER_SHOP = 2  # one in use, one being rolled in


class Shop(models.Model):
    """A merchant whose checkout or till calls the API."""

    name = models.CharField(max_length=80, unique=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class ApiKey(models.Model):
    """A shop's key, kept as its public prefix and the SHA-256 of the whole key (256 random bits: a fast hash is right).

    `live_slot` numbers the shop's live keys; the unique constraint on it allows two at once, for rotation.
    `retires_at`: from then on it is refused, whether anybody does anything or not: the end of the overlap in which the
    one that takes its place is rolled in. It keeps its slot until somebody asks for one (keys.py).
    """

    shop = models.ForeignKey(Shop, on_delete=models.PROTECT, related_name="keys")
    prefix = models.CharField(max_length=24, unique=True)
    secret_hash = models.CharField(max_length=64)
    scopes = models.JSONField(default=list)
    live_slot = models.PositiveSmallIntegerField()
    created_at = models.DateTimeField()
    retires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["created_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["shop", "live_slot"], condition=Q(revoked_at=None), name="one_live_key_per_slot"
            ),
            models.CheckConstraint(
                condition=Q(live_slot__gte=1, live_slot__lte=LIVE_KEYS_PER_SHOP), name="two_live_keys_per_shop"
            ),
            models.CheckConstraint(
                condition=Q(revoked_at=None) | Q(revoked_at__gte=F("created_at")), name="key_is_revoked_after_creation"
            ),
            models.CheckConstraint(
                condition=Q(retires_at=None) | Q(retires_at__gte=F("created_at")), name="key_retires_after_creation"
            ),
        ]

    def __str__(self) -> str:
        return self.prefix


class Ref(models.Model):
    """A shop's own customer id, tied to a member. A member may have several at one shop; an id belongs to one."""

    shop = models.ForeignKey(Shop, on_delete=models.CASCADE, related_name="refs")
    customer_ref = models.CharField(max_length=120)
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="refs")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shop", "customer_ref"], name="one_member_per_shop_and_customer_ref"),
        ]

    def __str__(self) -> str:
        return f"ref {self.pk}"
