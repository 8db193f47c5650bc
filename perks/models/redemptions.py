"""What was used: the value ledger. One row is one use of a perk on one order.

Only holding.py, redemptions.py and house_uses.py write here.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from membership.models import Member
from perks.models.grants import Grant
from perks.models.shops import Shop


class Redemption(models.Model):
    """One use of a perk: held for an order, committed when it is paid, released, returned, or expired uncommitted.

    The uses that a shop holds together, of one check for one order, share their `ident`: it is the redemption that
    the API speaks of. `member` is who used it, which in a household need not be who holds the grant.

    A limited perk takes a numbered slot of its allowance period, so that the database decides races. `draws_on` names
    the allowance (perks.slots). A place at an event is a number too, one that all members draw on: `event`, `place`.

    `shop` None: the house booked it itself (perks.house_uses).

    `idempotency_key` is that of the hold: another hold may bear it 30 days later (KeptAnswer decides until then).

    `worth` to the member and `cost` to the shop are minor units of `currency`; `returned_worth` and `returned_cost` of
    them came back. `lines` are those of the order by their id, each [quantity, weight]: the weight is the line's share
    in this use. `returned` are the quantities that came back. `effect` is what the shopper was promised.
    """

    class Status(models.TextChoices):
        HELD = "held"
        COMMITTED = "committed"
        RELEASED = "released"
        RETURNED = "returned"
        EXPIRED = "expired"

    ident = models.CharField(max_length=32)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="redemptions")
    grant = models.ForeignKey(Grant, on_delete=models.PROTECT, related_name="redemptions")
    shop = models.ForeignKey(Shop, on_delete=models.PROTECT, null=True, blank=True, related_name="redemptions")
    status = models.CharField(max_length=9, choices=Status, default=Status.HELD)
    draws_on = models.CharField(max_length=60, blank=True)
    period = models.CharField(max_length=16)
    slot = models.PositiveSmallIntegerField(null=True, blank=True)
    allowance = models.PositiveSmallIntegerField(null=True, blank=True)
    event = models.CharField(max_length=120, blank=True)
    place = models.PositiveIntegerField(null=True, blank=True)
    capacity = models.PositiveIntegerField(null=True, blank=True)
    idempotency_key = models.CharField(max_length=120)
    order_ref = models.CharField(max_length=120)
    decision_ref = models.CharField(max_length=40, blank=True)
    effect = models.JSONField(default=dict)
    worth = models.PositiveBigIntegerField(default=0)
    cost = models.PositiveBigIntegerField(default=0)
    currency = models.CharField(max_length=3)
    lines = models.JSONField(default=dict)
    returned = models.JSONField(default=dict)
    returned_worth = models.PositiveBigIntegerField(default=0)
    returned_cost = models.PositiveBigIntegerField(default=0)
    held_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    committed_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["expires_at"], condition=Q(status="held"), name="holds_that_expire"),
            models.Index(fields=["order_ref"], name="redemptions_of_an_order"),
            models.Index(fields=["ident"], name="uses_of_a_redemption"),
            models.Index(fields=["member", "committed_at"], name="uses_of_a_member"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["draws_on", "period", "slot"],
                condition=Q(status__in=["held", "committed"], slot__isnull=False),
                name="one_live_redemption_per_slot",
            ),
            models.UniqueConstraint(
                fields=["event", "place"],
                condition=Q(status__in=["held", "committed"], place__isnull=False),
                name="one_live_redemption_per_place",
            ),
            models.UniqueConstraint(
                fields=["decision_ref", "grant"],
                condition=Q(status__in=["held", "committed"]) & ~Q(decision_ref=""),
                name="one_live_redemption_per_check_and_perk",
            ),
            models.CheckConstraint(
                condition=Q(slot=None, allowance=None) | (Q(slot__gte=1, slot__lte=F("allowance")) & ~Q(draws_on="")),
                name="slot_lies_within_its_allowance",
            ),
            models.CheckConstraint(
                condition=Q(place=None, capacity=None) | (Q(place__gte=1, place__lte=F("capacity")) & ~Q(event="")),
                name="place_lies_within_its_capacity",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["committed", "returned"]) | Q(committed_at__isnull=False),
                name="committed_redemption_says_when",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["held", "committed"], closed_at=None)
                | (~Q(status__in=["held", "committed"]) & Q(closed_at__isnull=False)),
                name="closed_redemption_says_when",
            ),
            models.CheckConstraint(
                condition=Q(returned_worth__lte=F("worth"), returned_cost__lte=F("cost")),
                name="no_more_comes_back_than_was_given",
            ),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="redemption_currency_is_iso"),
        ]

    def __str__(self) -> str:
        return f"redemption {self.pk}"


LIVE = (Redemption.Status.HELD, Redemption.Status.COMMITTED)


class KeptAnswer(models.Model):
    """What a shop was answered under an idempotency key: the same request gets the same answer again for 30 days."""

    shop = models.ForeignKey(Shop, on_delete=models.CASCADE, related_name="kept_answers")
    key = models.CharField(max_length=120)
    request_hash = models.CharField(max_length=64)
    answer = models.TextField()
    made_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "key"], name="one_answer_per_idempotency_key")]
        indexes = [models.Index(fields=["made_at"], name="answers_to_forget")]

    def __str__(self) -> str:
        return f"answer to {self.key}"
