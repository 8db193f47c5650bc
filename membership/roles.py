"""Who of the staff may do what. Roles are code: a change of rights is a commit that somebody reads.

Console routes name the permission they need (console/access.py); a person holds one role (staff.py).
"""

from __future__ import annotations

from enum import StrEnum

from django.db import models
from django.utils.translation import gettext_lazy as _


class Permission(StrEnum):
    SEE = "see"  # find members and read their whole story
    CARE = "care"  # hold, extend, cancel, resume; cards, mails, perks of goodwill
    REFUND = "refund"  # give money back, within the limit
    TERMS = "terms"  # add terms that Stripe did not charge: given free of charge, or paid offline
    APPROVE = "approve"  # be the second person above it
    EXPORT = "export"  # take reports out as files
    OFFER = "offer"  # draft and publish perks, sales and prices; the desk's hours
    KEYS = "keys"  # let shops in, and shut them out
    APPOINT = "appoint"  # give and take roles


class Role(models.TextChoices):
    VIEWER = "viewer", _("Viewer")
    SUPPORT = "support", _("Support")
    BILLING = "billing", _("Billing")
    MANAGER = "manager", _("Manager")


ALLOWS: dict[str, frozenset[Permission]] = {
    Role.VIEWER: frozenset({Permission.SEE}),
    Role.SUPPORT: frozenset({Permission.SEE, Permission.CARE, Permission.REFUND}),
    Role.BILLING: frozenset(
        {Permission.SEE, Permission.CARE, Permission.REFUND, Permission.TERMS, Permission.APPROVE, Permission.EXPORT}
    ),
    Role.MANAGER: frozenset(Permission),
}
