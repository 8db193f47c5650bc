"""Changing the plan: better at once, for a quoted amount; less at the next renewal. Called by billing's views.

Confirming a quote sends its second along, so that exactly what was shown is charged. One quote a membership is
confirmed at a time, under one key, however many tabs press the button, and only while Stripe still answers what it
answered when the quote was made.
"""

from __future__ import annotations

import contextlib
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_noop

from billing import bank_step, gateway, operations, plan_offers, plan_quotes, sync
from billing.models import Operation, PlanQuote, StripePrice
from billing.tier_changes import KIND, operation_key
from membership import clock
from membership.errors import DomainError
from membership.models import Consent, Membership, Price

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

    from billing.checkout import Agreement

IN_FLIGHT = timedelta(minutes=1)  # far longer than a call lasts: after it nothing can still arrive
State = PlanQuote.State
NEEDS_BANK = {
    "authentication_required",
    "invoice_payment_intent_requires_action",
    "subscription_payment_intent_requires_action",
}
CARD_REFUSED = {"card_declined", "expired_card", "incorrect_cvc", "incorrect_number", "processing_error"}


class QuoteChanged(DomainError):
    """The quote has run out, or what it was worked out from is no longer so. Nothing was charged."""

    code = "quote_changed"
    message = gettext_noop("The amount had to be worked out anew. Nothing was charged; please look at it again.")


class ChangeUnderWay(DomainError):
    code = "change_under_way"
    message = gettext_noop("Another change of your plan is under way. Please try again in a few minutes.")


class CardDeclined(DomainError):
    code = "card_declined"
    status = 402
    message = gettext_noop("Your bank declined the card. Nothing was charged and nothing has changed.")


class BankMustConfirm(CardDeclined):
    """The change waits at Stripe for its customer: `details["page"]` is where they confirm, by any card."""

    code = "bank_must_confirm"
    message = gettext_noop(
        "Your bank wants to confirm this payment with you. Until you do, nothing is charged and nothing changes."
    )


def confirm(*, quote: PlanQuote, agreement: Agreement, at: datetime, actor: str) -> PlanQuote:
    """Charge what the quote says and change the plan; once, however often it is asked.

    Raises QuoteChanged, ChangeUnderWay, CardDeclined, NoChangeNow, StripeUnavailable, StripeRefused.
    """
    _clear_the_way(quote, at=at)
    quote = _claim(quote, at=at)
    if quote.state == State.DONE:
        return quote
    try:
        operation = _operation(quote, agreement, at=at)
    except (QuoteChanged, plan_offers.NoChangeNow, gateway.StripeRefused):
        _give_up(quote, State.DROPPED)
        raise
    except gateway.StripeUnavailable:
        _give_up(quote, State.OFFERED)
        raise
    if operation.state != Operation.State.DONE:
        _execute(quote, operation, actor)
    with contextlib.suppress(gateway.StripeUnavailable, gateway.StripeRefused):  # the webhook tells of it as well
        sync.subscription(quote.subscription.stripe_id, actor=actor)
    return quote


def _clear_the_way(quote: PlanQuote, *, at: datetime) -> None:
    """See how earlier confirmations of this membership ended, this very quote's too once it has run out."""
    for other in PlanQuote.objects.filter(membership=quote.membership_id, state=State.CONFIRMING):
        if other.pk != quote.pk or at >= other.expires_at:
            look(other, at=at)


@transaction.atomic
def _claim(quote: PlanQuote, *, at: datetime) -> PlanQuote:
    """This quote is the one that is confirmed now. Raises QuoteChanged, ChangeUnderWay, NoChangeNow."""
    membership = Membership.objects.lock(quote.membership_id)
    quote = PlanQuote.objects.select_related("subscription", "price__plan", "membership__member").get(pk=quote.pk)
    if quote.state == State.DONE:
        return quote
    plan_offers.changeable(membership, at)
    if quote.state == State.DROPPED or at >= quote.expires_at:
        raise QuoteChanged
    _set_confirming(quote)
    return quote


def _set_confirming(quote: PlanQuote) -> None:
    try:
        with transaction.atomic():
            PlanQuote.objects.filter(pk=quote.pk).update(state=State.CONFIRMING)
    except IntegrityError:  # one_plan_change_at_a_time
        raise ChangeUnderWay from None
    quote.state = State.CONFIRMING


def _operation(quote: PlanQuote, agreement: Agreement, *, at: datetime) -> Operation:
    """The one call of this quote, noted only if Stripe still answers what the quote was made from."""
    if asked := _open_calls(quote).first():
        return asked
    if plan_quotes.ask(quote.subscription, quote.price, quote.proration_at).facts != quote.facts:
        raise QuoteChanged
    with transaction.atomic():
        Membership.objects.lock(quote.membership_id)
        quote.refresh_from_db(fields=["state"])
        if quote.state == State.DROPPED:  # another tab saw that the facts had changed
            raise QuoteChanged
        if quote.state == State.OFFERED:
            _set_confirming(quote)
        _consent(quote, agreement, at)
        member = quote.membership.member
        return operations.note(key=operation_key(quote), kind=KIND, params=_params(quote), member=member)


def _open_calls(quote: PlanQuote) -> QuerySet[Operation]:
    calls = Operation.objects.filter(member=quote.membership.member_id, key__startswith=f"{operation_key(quote)}#")
    return calls.exclude(state=Operation.State.REFUSED)


def _params(quote: PlanQuote, behavior: str = "error_if_incomplete") -> dict[str, Any]:
    return {
        "items": [{"id": quote.facts["item"], "price": quote.facts["wanted"]}],
        "proration_behavior": "always_invoice",
        "proration_date": plan_quotes.seconds(quote.proration_at),
        "payment_behavior": behavior,
    }


def _consent(quote: PlanQuote, agreement: Agreement, at: datetime) -> None:
    Consent.objects.get_or_create(
        kind="plan-change",
        source_ref=f"quote:{quote.pk}",
        defaults={
            "member": quote.membership.member,
            "version": agreement.version,
            "language": agreement.language,
            "text": agreement.text,
            "given_at": at,
        },
    )


def _execute(quote: PlanQuote, operation: Operation, actor: str) -> None:
    update = partial(gateway.client().v1.subscriptions.update, quote.subscription.stripe_id)
    try:
        made = operations.create(update, operation).to_dict()
        if made.get("pending_update"):
            raise BankMustConfirm(page=bank_step.begin(operation, made, look_at=quote.expires_at + IN_FLIGHT))
    except gateway.StripeRefused as refusal:
        code = refusal.details["code"]
        if code in NEEDS_BANK:
            params, member = _params(quote, bank_step.WAITS), quote.membership.member
            _execute(quote, operations.note(key=operation_key(quote), kind=KIND, params=params, member=member), actor)
            return
        _give_up(quote, State.OFFERED if code in CARD_REFUSED else State.DROPPED)
        if code in CARD_REFUSED:
            raise CardDeclined from refusal
        raise
    except gateway.StripeUnavailable:
        with contextlib.suppress(gateway.StripeUnavailable, gateway.StripeRefused):  # was it done all the same?
            sync.subscription(quote.subscription.stripe_id, actor=actor)
        quote.refresh_from_db(fields=["state"])
        if quote.state != State.DONE:
            raise
    PlanQuote.objects.filter(pk=quote.pk).update(state=State.DONE)
    quote.state = State.DONE


@transaction.atomic
def _give_up(quote: PlanQuote, state: str) -> None:
    """Nothing was charged: it may be confirmed again (offered) or never (dropped), unless a call of it is open."""
    Membership.objects.lock(quote.membership_id)
    if not _open_calls(quote).exists():
        PlanQuote.objects.filter(pk=quote.pk, state=State.CONFIRMING).update(state=state)


def look(quote: PlanQuote, *, at: datetime) -> None:
    """What came of a confirmation whose answer nobody kept? Read Stripe; what never arrived by now is dropped.

    Raises StripeUnavailable.
    """
    sync.subscription(quote.subscription.stripe_id)
    quote.refresh_from_db(fields=["state"])
    if quote.state != State.CONFIRMING or at < quote.expires_at + IN_FLIGHT:
        return
    if bank_step.withdraw(quote.subscription, _open_calls(quote)):
        sync.subscription(quote.subscription.stripe_id)  # it may have been confirmed in this very moment
    for operation in _open_calls(quote).exclude(state=Operation.State.DONE):
        operations.never_arrived(operation)
    _give_up(quote, State.DROPPED)


def end_operation(operation: Operation) -> None:
    """For the janitor: never said again by itself, since a quote that ran out must not be charged. Only looked for."""
    quote = PlanQuote.objects.select_related("subscription").get(pk=operation.key.partition(":")[2].partition("#")[0])
    look(quote, at=clock.now())


# --- at the next renewal ----------------------------------------------------------------------------------------------


def at_renewal(*, membership: Membership, price: Price, at: datetime, actor: str) -> None:
    """Let the next renewal buy this price's plan; nothing is charged or given back, and the running term stays.

    Saying the held plan takes an earlier choice back. No Operation is noted: nothing is made or charged, and what is
    said is all of what is wanted, so that saying it twice is saying it once. A lost answer is looked for; where that
    fails too the member is asked to try again, and the webhook or the night's reconcile finds what Stripe has.

    Raises NoChangeNow, ChangeUnderWay, StripeUnavailable, StripeRefused.
    """
    subscription = plan_offers.changeable(membership, at)
    for quote in PlanQuote.objects.filter(membership=membership, state=State.CONFIRMING):
        look(quote, at=at)
        if quote.state == State.CONFIRMING:
            raise ChangeUnderWay
    stripe, wanted = gateway.client().v1, StripePrice.objects.get(price=price).stripe_id
    read = gateway.read(stripe.subscriptions.retrieve, subscription.stripe_id)
    change = {"items": [{"id": read["items"]["data"][0]["id"], "price": wanted}], "proration_behavior": "none"}
    try:
        gateway.call(stripe.subscriptions.update, subscription.stripe_id, change)
    except gateway.StripeUnavailable:
        sync.subscription(subscription.stripe_id, actor=actor)
        if not Membership.objects.filter(pk=membership.pk, plan=price.plan_id).exists():
            raise
    else:
        with contextlib.suppress(gateway.StripeUnavailable, gateway.StripeRefused):  # it is done: the webhook tells it
            sync.subscription(subscription.stripe_id, actor=actor)
