"""What people declare on the public pages, without logging in: that they cancel, or that they withdraw."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from membership.models import Member, Membership, Work


class Declaration(Work):
    """One declaration, word for word as it arrived. It is a fact before anybody knows whose it is.

    `email` and `number` are what was typed to name the membership; `contact` is where the receipt goes. `proven_at`:
    the holder of the account's mailbox said that it was them. `member` and `membership` are known once it is matched;
    `outcome` is what came of it, `note` what staff said when they closed it. Parked ones wait for staff.
    """

    swept_by = "carry out declarations"

    class Kind(models.TextChoices):
        CANCEL = "cancel"
        WITHDRAW = "withdraw"

    class Outcome(models.TextChoices):
        CANCELED = "canceled"  # it renews no more
        WITHDRAWN = "withdrawn"  # it has ended, and the money is on its way back
        BEFORE = "before"  # canceled, or ended with money back, before this arrived
        OVER = "over"  # there was no membership that could go on
        BY_ITSELF = "by_itself"  # nothing renews: a gift, a plan bought once
        SHARED = "shared"  # a seat under somebody else's membership
        TOO_LATE = "too_late"  # withdrawn after the law's days
        STAFF = "staff"  # closed by staff, with a note

    kind = models.CharField(max_length=8, choices=Kind)
    for_cause = models.BooleanField(default=False)
    reason = models.CharField(max_length=1000, blank=True)
    name = models.CharField(max_length=120)
    email = models.EmailField(max_length=254)
    number = models.CharField(max_length=40, blank=True)
    wanted_on = models.DateField(null=True, blank=True)
    contact = models.EmailField(max_length=254)
    language = models.CharField(max_length=5)
    key = models.CharField(max_length=64)
    token = models.CharField(max_length=32, unique=True)
    arrived_at = models.DateTimeField()
    proven_at = models.DateTimeField(null=True, blank=True)
    member = models.ForeignKey(Member, null=True, on_delete=models.PROTECT, related_name="declarations")
    membership = models.ForeignKey(Membership, null=True, on_delete=models.PROTECT, related_name="declarations")
    outcome = models.CharField(max_length=9, choices=Outcome, blank=True)
    note = models.CharField(max_length=400, blank=True)

    class Meta(Work.Meta):
        indexes = [
            *Work.Meta.indexes,
            models.Index(
                fields=["arrived_at"], condition=Q(done_at=None) & ~Q(parked_reason=""), name="declarations_for_staff"
            ),
            models.Index(fields=["done_at"], condition=Q(done_at__isnull=False), name="declarations_to_forget"),
        ]
        constraints = [models.UniqueConstraint(fields=["key"], name="one_declaration_per_form_sent")]

    def __str__(self) -> str:
        return f"declaration {self.pk}"  # never what was typed: it would reach logs

    @property
    def reference(self) -> str:
        """What its receipt is called by, to people."""
        return self.token[:8].upper()
