"""I8 and I9: who is a member is charged by exactly one subscription, and who is none any more by none."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Exists, F, OuterRef, Q
from django.db.models.fields.json import KeyTextTransform

from billing import differences
from billing.invariants.ledger import pages
from billing.models import LIVE, Operation, Payment, Subscription
from membership import lifecycle
from membership.invariants import invariant
from membership.models import Membership, Status, Term

# An Operation in one of these states still sees to it, or staff have been told.
SEEN_TO = (Operation.State.UNKNOWN, Operation.State.PARKED)


@invariant("I8", "open paid memberships map one to one to live Stripe subscriptions")
def renewals_have_a_subscription() -> Iterable[str]:
    live = Subscription.objects.filter(membership=OuterRef("pk"), status__in=LIVE)
    paid = Term.objects.filter(membership=OuterRef("pk"), source=Term.Source.PAID)
    expecting = Membership.objects.filter(Exists(paid), renewal_expected=True, status__in=lifecycle.LIVING)
    for membership in expecting.exclude(Exists(live)).order_by("pk"):
        yield f"membership {membership.pk} expects a renewal, and no live subscription will charge it"


@invariant("I8", "open paid memberships map one to one to live Stripe subscriptions", outside="Stripe")
def live_subscriptions_are_those_of_stripe() -> Iterable[str]:
    met = 0
    for rows in pages("subscriptions", status="all"):
        for ident, said in differences.subscriptions(rows).items():
            yield f"{ident}: {said}"
        alive = [row["id"] for row in rows if row["status"] in LIVE]
        met += Subscription.objects.filter(stripe_id__in=alive, status__in=LIVE).count()
    ours = Subscription.objects.filter(status__in=LIVE).count()
    if met < ours:
        yield f"{ours - met} of our live subscriptions are not alive at Stripe"


@invariant("I9", "an ended membership cannot be charged; a charge after its end is given back")
def the_ended_are_not_charged() -> Iterable[str]:
    # As text: PostgreSQL does not compare a JSON value with a column of characters.
    told = Operation.objects.annotate(subscription=KeyTextTransform("subscription", "params"))
    canceling = told.filter(state__in=SEEN_TO, subscription=OuterRef("stripe_id"))
    ended = Subscription.objects.filter(status__in=LIVE, membership__status=Status.ENDED)
    for subscription in ended.exclude(Exists(canceling)).order_by("pk"):
        yield f"subscription {subscription.pk} lives on after membership {subscription.membership_id} has ended"
    late = Payment.objects.filter(
        Q(membership__status=Status.ENDED, paid_at__gt=F("membership__ended_at")),
        captured__gt=F("returned") + F("disputed"),
    )
    for payment in late.select_related("invoice").order_by("pk"):
        if not _is_seen_to(payment):
            yield f"payment {payment.pk} came after the end of membership {payment.membership_id} and was kept"


def _is_seen_to(payment: Payment) -> bool:
    """Its refund is on its way, or the bank would not take it and staff know."""
    if payment.refunds.filter(state="failed").exists():
        return True
    waiting = Operation.objects.filter(state__in=SEEN_TO, member=payment.membership.member_id)
    return waiting.filter(kind="refund_misplaced").exists()
