"""Staff: which accounts may enter the console, in which role, and who let them in. staff.py alone writes here."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from membership.roles import ALLOWS, Permission, Role


class Staff(models.Model):
    """An account's role. `granted_by` None: at the command line; the audit says by whom."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="staff")
    name = models.CharField(max_length=120)
    role = models.CharField(max_length=7, choices=Role)
    granted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    granted_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "staff"
        constraints = [
            models.CheckConstraint(
                condition=Q(granted_by=None) | ~Q(granted_by=F("user")), name="nobody_grants_themselves_a_role"
            ),
            models.CheckConstraint(
                condition=Q(revoked_at=None) | Q(revoked_at__gte=F("granted_at")), name="role_is_revoked_after_grant"
            ),
        ]

    def __str__(self) -> str:
        return f"staff {self.user_id} ({self.role})"

    @property
    def actor(self) -> str:
        """As the audit and the timeline name them."""
        return f"staff:{self.user_id}"

    def may(self, permission: Permission) -> bool:
        return self.revoked_at is None and permission in ALLOWS[self.role]
