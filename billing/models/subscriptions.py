"""What is bought at Stripe: a checkout under way, the subscription, its invoices. Mirrors, written by sync alone
(a CheckoutSession also by checkout.py, which opens it)."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from membership.models import Membership, Plan, Price


class CheckoutSession(models.Model):
    """One visit to the pay page. Its row is written before Stripe is asked, so that an answer is never orphaned."""

    class State(models.TextChoices):
        OPEN = "open"
        COMPLETE = "complete"
        EXPIRED = "expired"
        RETURNED = "returned"  # paid, but there was no place for it: the money goes back

    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="checkouts")
    price = models.ForeignKey(Price, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    stripe_id = models.CharField(max_length=100, null=True, blank=True, unique=True)
    url = models.TextField(blank=True)
    opened_at = models.DateTimeField()
    look_at = models.DateTimeField()  # when the sweep reads it again, if nobody told us of it by then
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["membership"], condition=Q(state="open"), name="one_open_checkout_per_membership"
            ),
        ]
        indexes = [models.Index(fields=["look_at"], condition=Q(state="open"), name="open_checkouts_to_look_at")]


# Stripe's statuses that can still charge somebody.
LIVE = ("active", "trialing", "past_due", "unpaid", "incomplete", "paused")


class Subscription(models.Model):
    """The mirror of a Stripe subscription. Access is never decided here: "active" is not "paid"."""

    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="subscriptions")
    stripe_id = models.CharField(max_length=64, unique=True)
    status = models.CharField(max_length=24)
    price = models.ForeignKey(Price, null=True, on_delete=models.PROTECT, related_name="+")
    cancel_at_period_end = models.BooleanField(default=False)
    cancel_at = models.DateTimeField(null=True, blank=True)
    current_period_end = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField()  # wall time at which the read of this state began
    seen_at = models.DateTimeField(null=True, blank=True)  # wall start of the last reconciliation that met it
    reread_at = models.DateTimeField(null=True, blank=True)  # somebody read an overdue membership: look again from here

    class Meta:
        indexes = [
            models.Index(
                fields=["reread_at"], condition=Q(reread_at__isnull=False), name="subscriptions_to_read_again"
            ),
            models.Index(
                fields=["membership"], condition=Q(status__in=["past_due", "unpaid"]), name="subscriptions_unpaid"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["membership"], condition=Q(status__in=LIVE), name="one_live_subscription_per_membership"
            ),
        ]

    @property
    def ends_by_itself(self) -> bool:
        """Scheduled to cancel; Stripe's own portal sets only `cancel_at`."""
        return self.cancel_at_period_end or self.cancel_at is not None


class Invoice(models.Model):
    """The mirror of a Stripe invoice. Amounts in minor units of `currency`.

    While it is open: `amount_due` is what is still to be paid, `trouble` why it is not paid (trouble.py knows the words
    and what follows from them), `next_try_at` when Stripe tries again by itself.
    """

    class Trouble(models.TextChoices):
        DECLINED = "declined"  # the bank said no this time
        ACTION = "action"  # the bank wants its customer to confirm (3-D Secure)
        HARD = "hard"  # the bank said never again with this card
        NO_CARD = "no_card"

    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="invoices")
    stripe_id = models.CharField(max_length=64, unique=True)
    number = models.CharField(max_length=64, blank=True)
    status = models.CharField(max_length=16)
    billing_reason = models.CharField(max_length=40, blank=True)
    currency = models.CharField(max_length=3)
    total = models.IntegerField()
    amount_paid = models.IntegerField()
    amount_due = models.IntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    trouble = models.CharField(max_length=8, choices=Trouble, blank=True)
    decline_code = models.CharField(max_length=60, blank=True)
    card_last4 = models.CharField(max_length=4, blank=True)
    failed_card = models.CharField(max_length=64, blank=True)  # the payment method's id at Stripe
    hosted_url = models.TextField(blank=True)
    made_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField()  # wall time at which the read of this state began

    class Meta:
        ordering = ["-made_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(amount_paid__gte=0), name="invoice_is_paid_nothing_or_more"),
        ]
        indexes = [  # for the console's queues
            models.Index(
                fields=["made_at", "id"],
                condition=Q(status="open") & ~Q(trouble="") & ~Q(trouble="action"),
                name="invoices_not_paid",
            ),
            models.Index(
                fields=["made_at", "id"], condition=Q(status="open", trouble="action"), name="invoices_to_confirm"
            ),
        ]

    @property
    def returned(self) -> int:
        """What went back of it, or is on its way. A list prefetches `payments`."""
        return sum(payment.returned for payment in self.payments.all())


class InvoiceLine(models.Model):
    """One line of an invoice. `buys_time`: it pays for a period of the membership, so it makes one term.
    `changes_plan`: it pays for the rest of a period in another plan, so it makes one tier change."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="lines")
    stripe_id = models.CharField(max_length=100, unique=True)
    plan = models.ForeignKey(Plan, null=True, on_delete=models.PROTECT, related_name="+")
    description = models.TextField(blank=True)
    amount = models.IntegerField()
    discount = models.IntegerField(default=0)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    buys_time = models.BooleanField()
    changes_plan = models.BooleanField(default=False)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(buys_time=False) | Q(discount__gte=0, amount__gte=F("discount")),
                name="time_bought_costs_nothing_or_more_after_its_discount",
            ),
        ]

    @property
    def term_ref(self) -> str:
        """The source_ref of what the line makes: one paid line that buys time is one term, and back; one that
        changes the plan is one tier change."""
        return term_ref(self.stripe_id)


def term_ref(line_id: str) -> str:
    """The source_ref of the term that Stripe's invoice line makes."""
    return f"stripe:{line_id}"
