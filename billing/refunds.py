"""Refunds: exactly the quote that was shown, once, whoever asks and however often.

Decided in one transaction (the rows, the claim on the payment, the Operations), then carried out: the subscription
is canceled if the membership ends, the money goes back, and Stripe's answer takes its effect on the term
(refund_outcomes.py). After a crash or a lost answer, the sweep or a webhook goes on where it stopped.
"""

from __future__ import annotations

import secrets
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Sum
from django.utils.translation import gettext_noop

from billing import endings, gateway, operations, outlook, refund_outcomes, refund_policy, refund_quotes
from billing.models import STANDING, Operation, Payment, Refund
from billing.refund_policy import Basis, Quote
from membership import audit, clock, timeline
from membership.errors import DomainError
from membership.models import Membership

if TYPE_CHECKING:
    from django.db.models import QuerySet

KIND = "refund"
Effect = Refund.Effect
TRY_AGAIN = frozenset({"balance_insufficient", "insufficient_funds"})  # our account at Stripe is short; it fills again
PATIENCE = timedelta(hours=1)
COUNTS_FOR = timedelta(days=30)  # how long goodwill that one person gave counts towards the limit


class QuoteChanged(DomainError):
    """What would be given back is no longer what was shown."""

    code = "quote_changed"
    message = gettext_noop("The amount has changed meanwhile. Please look at the new one.")


class NoSuchEnd(DomainError):
    code = "no_such_end"
    status = 422
    message = "The end must lie in the future and inside the paid time."


def ask(*, membership: Membership, quote: Quote, effect: str, at: datetime, actor: str, **said: Any) -> str:
    """Decide to give back exactly `quote`, and carry it out. -> the decision, for `Refund.objects.filter(decision=…)`.

    `said`: see `decide`. Raises what that raises, and StripeUnavailable (then it is decided, and goes on by itself).
    """
    decision, new = decide(membership=membership, quote=quote, effect=effect, at=at, actor=actor, **said)
    carry_out(decision, again=not new)
    return decision


def decide(
    *,
    membership: Membership,
    quote: Quote,
    effect: str,
    at: datetime,
    actor: str,
    ends_at: datetime | None = None,
    reason: str = "",
    approved_by: str = "",
    once: str = "",
) -> tuple[str, bool]:
    """Decide it, without a call to Stripe. -> the decision that stands, and whether it is this one.

    A membership ends with money back once: who asks again gets the decision that stands; so does who asks again with
    the same `once`. Raises QuoteChanged, NoSuchEnd, refund_policy's refusals.
    """
    decision = f"refund:{once or secrets.token_hex(12)}"
    decided: dict[str, Any] = {"effect": effect, "ends_at": ends_at, "reason": reason, "actor": actor}
    decided |= {"approved_by": approved_by, "basis": quote.basis, "currency": quote.currency, "decided_at": at}
    try:
        return _decide(membership.pk, decision, quote, decided, at)
    except IntegrityError:  # no_more_goes_back_than_was_paid, one_refund_with_an_end_per_payment
        raise QuoteChanged from None


@transaction.atomic
def _decide(membership_pk: int, decision: str, quote: Quote, decided: dict[str, Any], at: datetime) -> tuple[str, bool]:
    """-> the decision that stands, and whether it is this one."""
    membership = Membership.objects.lock(membership_pk)
    if Refund.objects.filter(decision=decision).exists():
        return decision, False
    ending = decided["effect"] != Effect.MONEY_ONLY
    stands = refund_quotes.standing_decision(membership)
    if ending and stands:
        return stands, False
    if quote.basis == Basis.GOODWILL:
        named = {name: decided[name] for name in ("reason", "actor", "approved_by")}
        together = quote.amount + given_by_one(membership, at)
        refund_policy.check_goodwill(amount=together, limit=settings.GOODWILL_LIMIT, **named)
    _check_end(membership, decided, at)
    _same_as_now(membership, quote, at)
    for part in quote.parts:
        Payment.objects.filter(pk=part.ref).update(returned=F("returned") + part.amount)
        row = Refund.objects.create(
            membership=membership,
            payment_id=part.ref,
            decision=decision,
            amount=part.amount,
            working=[asdict(line) for line in quote.working],
            **decided,
        )
        _operation(row)
    if ending:
        endings.note(membership, at_period_end=decided["ends_at"] is not None)
    _record(membership, decision, quote, decided, at)
    return decision, True


def given_by_one(membership: Membership, at: datetime) -> int:
    """Goodwill of the last 30 days that one person gave alone, minor units: it counts towards their limit, so that a
    large sum is not given as several small ones."""
    alone = Refund.objects.filter(
        membership=membership,
        basis=Basis.GOODWILL,
        approved_by="",
        state__in=STANDING,
        decided_at__gt=at - COUNTS_FOR,
    )
    return int(alone.aggregate(sum=Sum("amount"))["sum"] or 0)


def _check_end(membership: Membership, decided: dict[str, Any], at: datetime) -> None:
    ends_at, until = decided["ends_at"], membership.entitled_until
    dated = decided["effect"] == Effect.END_AT
    if dated != (ends_at is not None) or (dated and (until is None or not at < ends_at <= until)):
        raise NoSuchEnd
    renews_at = outlook.charge_at(membership)
    if dated and renews_at is not None and renews_at <= at:  # at Stripe the next period has begun: its end is too late
        raise NoSuchEnd


def _same_as_now(membership: Membership, quote: Quote, at: datetime) -> None:
    """Quoted anew under the lock: another refund, a dispute or midnight may have come between."""
    now = refund_quotes.quote(membership=membership, basis=quote.basis, amount=quote.amount, at=at)
    if now.mark != quote.mark:
        raise QuoteChanged(quote=now)


def _record(membership: Membership, decision: str, quote: Quote, decided: dict[str, Any], at: datetime) -> None:
    data = {"basis": quote.basis, "amount": quote.amount, "currency": quote.currency, "effect": decided["effect"]}
    data |= {"decision": decision, "approved_by": decided["approved_by"]}
    actor = decided["actor"]
    timeline.write(member=membership.member, kind="refund.decided", at=at, actor=actor, data=data, source_ref=decision)
    audit.write(actor=actor, verb="refund", subject=f"membership:{membership.pk}", at=at, data=data)


def _operation(row: Refund) -> Operation:
    """The Operation of this refund: the open one, or the next one after a refusal."""
    params = {
        "payment_intent": row.payment.intent_id,
        "amount": gateway.to_stripe(row.amount, row.currency),
        "reason": "requested_by_customer",
        "metadata": {"refund": str(row.pk), "membership": str(row.membership_id)},
    }
    made = operations.note(key=f"refund:{row.pk}", kind=KIND, params=params, member=row.membership.member)
    if row.operation_id != made.pk:
        row.operation = made
        row.save(update_fields=["operation"])
    return made


def carry_out(decision: str, *, again: bool = True) -> None:
    """Make the calls of a decision that are not answered yet. Safe to repeat. Raises StripeUnavailable.

    `again`: they may have been made before, so Stripe is asked first what it has.
    """
    for row in _noted().filter(decision=decision):
        endings.carry_out(row.membership_id)
        _pay_back(row, again=again)


def repeat(operation: Operation) -> None:
    """For the janitor: find out what came of the refund of this Operation, and go on from there."""
    for decision in Refund.objects.filter(operation=operation).values_list("decision", flat=True):
        carry_out(decision)


def _pay_back(row: Refund, *, again: bool) -> None:
    operation = _operation(row)
    found = _already_there(row) if again else None
    if found is None and operations.is_forgotten(operation):
        operations.never_arrived(operation)
        operation = _operation(row)
    try:
        read = found or operations.create(gateway.client().v1.refunds.create, operation).to_dict()
    except gateway.StripeRefused as refusal:
        _no(row, refusal)
        return
    with transaction.atomic():
        refund_outcomes.answered(_fresh(row), read, at=clock.now())


def _already_there(row: Refund) -> dict[str, Any] | None:
    """Asked before, and the answer was lost: Stripe forgets keys after a day, but not refunds."""
    refunds = gateway.client().v1.refunds
    made = gateway.read_all(refunds.list, {"payment_intent": row.payment.intent_id})
    return next((read for read in made if (read.get("metadata") or {}).get("refund") == str(row.pk)), None)


def _no(row: Refund, refusal: gateway.StripeRefused) -> None:
    words = str(refusal.details["said"])
    if refusal.details["code"] in TRY_AGAIN:
        Refund.objects.filter(pk=row.pk).update(said=words)
        return
    with transaction.atomic():
        refund_outcomes.refused(_fresh(row), words, at=clock.now())


def _fresh(row: Refund) -> Refund:
    Membership.objects.lock(row.membership_id)
    return Refund.objects.select_related("payment", "membership__member").get(pk=row.pk)


def _noted() -> QuerySet[Refund]:
    noted = Refund.objects.filter(state=Refund.State.NOTED).order_by("pk")
    return noted.select_related("membership__member", "payment", "operation")


def unfinished(*, at: datetime) -> QuerySet[Refund]:
    """What was decided and Stripe has not answered. For lack of money refused, it waits an hour between two tries."""
    return _noted().exclude(operation__state=Operation.State.REFUSED, operation__answered_at__gt=at - PATIENCE)
