"""What was given: grants, and the one row a perk check reads. Only grants.py and entitlements.py write here."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from membership.models import Member, Membership, Term, TierChange
from perks.models.catalogue import Perk


class Grant(models.Model):
    """A membership holds a perk in a window, half-open [starts_at, ends_at), with the settings it was sold under.

    source term: sold with `term`, or with the paid `change` inside it. Without a term it is provisional: the next
    term's, usable while its renewal payment is awaited; the paid term makes it its own.
    source goodwill: given by staff, with a reason.
    """

    class Source(models.TextChoices):
        TERM = "term"
        GOODWILL = "goodwill"

    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="grants")
    perk = models.ForeignKey(Perk, on_delete=models.PROTECT, related_name="grants")
    source = models.CharField(max_length=8, choices=Source, default=Source.TERM)
    term = models.ForeignKey(Term, on_delete=models.PROTECT, null=True, blank=True, related_name="grants")
    change = models.ForeignKey(TierChange, on_delete=models.PROTECT, null=True, blank=True, related_name="grants")
    tier = models.CharField(max_length=40, blank=True)
    settings = models.JSONField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = models.CharField(max_length=200, blank=True)
    owner = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["starts_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["term", "perk"], condition=Q(change=None), name="one_grant_per_term_and_perk"
            ),
            models.UniqueConstraint(fields=["change", "perk"], name="one_grant_per_tier_change_and_perk"),
            models.UniqueConstraint(
                fields=["membership", "perk"],
                condition=Q(term=None, source="term"),
                name="one_provisional_grant_per_perk",
            ),
            models.CheckConstraint(condition=Q(ends_at__gte=F("starts_at")), name="grant_ends_after_it_starts"),
            models.CheckConstraint(
                condition=Q(source="term", reason="") | (Q(source="goodwill", term=None, change=None) & ~Q(reason="")),
                name="goodwill_grant_says_why",
            ),
            models.CheckConstraint(
                condition=Q(change=None) | Q(term__isnull=False), name="grant_of_a_tier_change_lies_in_a_term"
            ),
        ]

    def __str__(self) -> str:
        return f"grant {self.pk}"


class SoldTogether(models.Model):
    """Perks with kind and settings as sold together, under the hash of the text. Never changed (perks.sold)."""

    digest = models.CharField(max_length=32, primary_key=True)
    text = models.TextField()

    def __str__(self) -> str:
        return self.digest


class Entitlement(models.Model):
    """All that a perk check asks about a member, in one row, without personal data.

    `facts` is what entitlements.recompute() makes of the member's newest membership as of `computed_at`, or of that of
    their household seat, or of both: standing facts, and the windows of the term then running and of those after it,
    with tier and grants; in a last line the hash of what these were sold under. Moments in it never need a job to come
    true: the engine compares them with the moment of the check.
    `payer` is set for a household seat: who pays for the membership it is under.
    """

    member = models.OneToOneField(Member, on_delete=models.PROTECT, primary_key=True, related_name="entitlement")
    number = models.CharField(max_length=10, unique=True)
    card_id = models.UUIDField(null=True, blank=True, unique=True)
    payer = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="seats")
    facts = models.TextField()
    version = models.PositiveBigIntegerField(default=1)
    computed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(payer=None) | ~Q(payer=F("member")), name="nobody_sits_in_their_own_household"
            ),
        ]

    def __str__(self) -> str:
        return f"entitlement of {self.number}"
