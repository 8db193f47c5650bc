"""What a customer does in the portal: another card, an end at the period's end, and taking that back.

Everything is told as the ordinary events that the same thing through the API would cause.
"""

from __future__ import annotations

import copy
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from django.db import transaction

from billing.emulator import clock, events, payment_methods, setup_intents, store, subscriptions, test_clocks, timeline
from billing.emulator.models import Record
from billing.emulator.portal_sessions import KIND, features
from billing.emulator.routers import ALIAS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from billing.emulator.payment_methods import TypedCard


class Outcome(Enum):
    DONE = "done"
    AUTHENTICATE = "authenticate"
    DECLINED = "declined"


@dataclass(frozen=True)
class Result:
    outcome: Outcome
    session: Record
    decline: str = ""


def change_card(session_id: str, entry: TypedCard) -> Result:
    """Set a typed card up for later payments; it becomes the customer's default, and that of each subscription."""
    with _locked(session_id) as session:
        customer = store.get("customer", session.customer)
        method = payment_methods.typed(entry, email=customer.data["email"])
        intent = setup_intents.new_intent(customer=session.customer, parent=session.stripe_id)
        session.hidden |= {"intent": intent.stripe_id, "method": method.stripe_id}
        store.save(session)
        return _after(session, intent, method, setup_intents.confirm(intent, method))


def authenticate(session_id: str, *, passed: bool) -> Result:
    """The 3DS step is over: the bank is satisfied, or not."""
    with _locked(session_id) as session:
        intent = store.get("setup_intent", session.hidden["intent"])
        method = store.get("payment_method", session.hidden["method"])
        if intent.data["status"] == "succeeded":  # another tab was faster
            return Result(Outcome.DONE, session)
        if passed and intent.data["status"] == "requires_action":
            return _after(session, intent, method, setup_intents.confirm(intent, method, authenticated=True))
        if intent.data["status"] == "requires_action":
            setup_intents.refuse(intent, method, "authentication_failed")
        return Result(Outcome.DECLINED, session, "authentication_failed")


def _after(session: Record, intent: Record, method: Record, decline: str) -> Result:
    if decline:
        return Result(Outcome.DECLINED, session, decline)
    if intent.data["status"] == "requires_action":
        return Result(Outcome.AUTHENTICATE, session)
    _use(method, store.get("customer", session.customer))
    return Result(Outcome.DONE, session)


def _use(method: Record, customer: Record) -> None:
    payment_methods.keep(method, customer=customer)
    before = copy.deepcopy(customer.data)
    customer.data["invoice_settings"]["default_payment_method"] = method.stripe_id
    events.updated(customer, before)
    for subscription in living(customer.stripe_id):
        if subscription.data["default_payment_method"]:
            was = copy.deepcopy(subscription.data)
            subscription.data["default_payment_method"] = method.stripe_id
            events.updated(subscription, was, "customer.subscription.updated")


def cancel(session_id: str, subscription_id: str, *, feedback: str = "", comment: str = "") -> None:
    """End a subscription as the configuration says: at its period's end, or now. Canceled already: nothing happens.

    With flexible billing the end is told by `cancel_at` alone; `cancel_at_period_end` stays false.
    """
    with _locked(session_id) as session:
        feature = features(session)["subscription_cancel"]
        subscription = of_customer(session, subscription_id)
        if subscription is None or not feature["enabled"] or subscription.data["cancel_at"]:
            return
        before = copy.deepcopy(subscription.data)
        details = {"feedback": feedback, "comment": comment}
        if feature["mode"] == "immediately":
            subscription.data["canceled_at"] = clock.now()
            subscription.data["cancellation_details"]["reason"] = "cancellation_requested"
            subscriptions.explain(subscription, details)
            subscriptions.end(subscription, at=clock.now())
            return
        at = subscriptions.items_of(subscription)[0]["current_period_end"]
        subscriptions.schedule_end(subscription, {"cancel_at": at})
        subscriptions.explain(subscription, details)
        events.updated(subscription, before, "customer.subscription.updated")


def resume(session_id: str, subscription_id: str) -> None:
    """Take a scheduled end back. None is scheduled: nothing happens."""
    with _locked(session_id) as session:
        subscription = of_customer(session, subscription_id)
        if subscription is None or not subscription.data["cancel_at"]:
            return
        if not features(session)["subscription_cancel"]["enabled"]:
            return
        before = copy.deepcopy(subscription.data)
        subscriptions.schedule_end(subscription, {"cancel_at": ""})
        events.updated(subscription, before, "customer.subscription.updated")


def living(customer_id: str) -> list[Record]:
    """The customer's subscriptions that have not ended, newest first."""
    found = store.of("subscription", customer=customer_id).exclude(data__status__in=list(subscriptions.ENDED))
    return list(found.order_by("-id"))


def of_customer(session: Record, subscription_id: str) -> Record | None:
    """A living subscription of the session's own customer."""
    return next((one for one in living(session.customer) if one.stripe_id == subscription_id), None)


@contextmanager
def _locked(session_id: str) -> Iterator[Record]:
    """The session to itself, at its customer's own time; all is done or nothing."""
    timeline.catch_up()
    with transaction.atomic(using=ALIAS):
        session = Record.objects.select_for_update().get(kind=KIND, stripe_id=session_id)
        with test_clocks.standing_with(session):
            yield session
