"""Cards: the id behind a QR, and the public keys that verify it."""

from __future__ import annotations

import secrets
import uuid

from django.db import models
from django.db.models import F, Q

from membership.models.people import Member


def new_card_id() -> uuid.UUID:
    """128 random bits; a version-4 UUID would spend six of them on its version."""
    return uuid.UUID(bytes=secrets.token_bytes(16))


class Card(models.Model):
    """A member's card. A reissued one revokes the last; ids are never used again."""

    id = models.UUIDField(primary_key=True, default=new_card_id, editable=False)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="cards")
    issued_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["member"], condition=Q(revoked_at=None), name="one_card_per_member"),
            models.CheckConstraint(
                condition=Q(revoked_at=None) | Q(revoked_at__gte=F("issued_at")),
                name="card_is_revoked_after_issue",
            ),
        ]

    def __str__(self) -> str:
        return f"card of member {self.member_id}"


class CardKey(models.Model):
    """A public key that verifies cards; the private one stands in the environment only."""

    key_id = models.PositiveSmallIntegerField(primary_key=True)
    public_key = models.BinaryField(max_length=32, unique=True)
    first_used_at = models.DateTimeField()
