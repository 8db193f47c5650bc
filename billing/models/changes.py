"""Changes of plan: the quote that was shown, and how far its confirmation has come."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from billing.models.subscriptions import Subscription
from membership.models import Membership, Plan, Price


class PlanQuote(models.Model):
    """An upgrade as the member saw it: what is charged now, down to the second it was counted from.

    `facts` is everything the amounts were worked out from, as Stripe told it; confirming asks again and executes the
    quote only while they are the same. Amounts in minor units of the price's currency. `lines` are Stripe's, in order:
    {"plan": code or "", "amount": minor units}, negative for what is given back.
    """

    class State(models.TextChoices):
        OFFERED = "offered"
        CONFIRMING = "confirming"  # somebody pressed the button; what came of it is not known yet
        DONE = "done"
        DROPPED = "dropped"  # the facts changed, it ran out, or Stripe refused: nothing was charged

    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="plan_quotes")
    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="+")
    from_plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="+")
    price = models.ForeignKey(Price, on_delete=models.PROTECT, related_name="+")  # of the plan that is wanted
    proration_at = models.DateTimeField()  # a whole second
    due = models.PositiveIntegerField()
    balance_used = models.IntegerField(default=0)
    lines = models.JSONField(default=list)
    renews_at = models.DateTimeField(null=True, blank=True)  # None: it ends instead
    renewal = models.PositiveIntegerField(default=0)
    facts = models.JSONField(default=dict)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.OFFERED)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["membership"], condition=Q(state="confirming"), name="one_plan_change_at_a_time"
            ),
        ]

    def __str__(self) -> str:
        return f"plan quote {self.pk}"
