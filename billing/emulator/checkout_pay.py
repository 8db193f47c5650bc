"""Taking the money of a Checkout Session: what the hosted page's buttons do.

Every verb locks the session first, so that two tabs posting at once pay once; the second is told how it stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from django.db import transaction

from billing.emulator import (
    checkout_complete,
    clock,
    discounts,
    payment_methods,
    payments,
    quote,
    setup_intents,
    store,
    test_clocks,
    timeline,
)
from billing.emulator.checkout import KIND
from billing.emulator.models import Record
from billing.emulator.routers import ALIAS

if TYPE_CHECKING:
    from collections.abc import Callable

    from billing.emulator.cards import Card


class Outcome(Enum):
    PAID = "paid"  # also when another tab was faster
    AUTHENTICATE = "authenticate"
    DECLINED = "declined"
    EXPIRED = "expired"
    CHANGED = "changed"  # the price is no longer the one that was shown


@dataclass(frozen=True)
class Entry:
    """What somebody typed; `expiry` is (month, year). No card when nothing is due and none is collected.

    `shown` is the amount that the page said would be charged.
    """

    email: str
    name: str
    card: Card | None
    expiry: tuple[int, int] | None
    terms: bool = False
    shown: int | None = None


@dataclass(frozen=True)
class Result:
    outcome: Outcome
    session: Record
    decline: str = ""


def pay(session_id: str, entry: Entry) -> Result:
    """Pay an open session with what was typed."""

    def work(session: Record) -> Result:
        try:
            due = quote.of(session)
        except discounts.NotApplicable:
            _without_discount(session)
            return Result(Outcome.CHANGED, session)
        if entry.shown not in (None, due.due):
            return Result(Outcome.CHANGED, session)
        method = _method(entry)
        session.hidden["entry"] = {"email": entry.email, "name": entry.name, "terms": entry.terms}
        if method is None:
            return _done(session, due, None, None)
        intent = _intent(session, due)
        session.hidden |= {"intent": intent.stripe_id, "method": method.stripe_id}
        return _after(session, due, intent, method, _confirm(intent, method))

    return _locked(session_id, work)


def authenticate(session_id: str, *, passed: bool) -> Result:
    """The 3DS step is over: the bank is satisfied, or not."""

    def work(session: Record) -> Result:
        intent, method = (
            store.find(session.hidden["intent"] or ""),
            store.find(session.hidden.get("method", "")),
        )
        if intent is None or method is None or intent.data["status"] != "requires_action":
            return Result(Outcome.DECLINED, session, "authentication_failed")
        if not passed:
            _refuse(intent, method)
            return Result(Outcome.DECLINED, session, "authentication_failed")
        due = _due_still(session, intent)
        if due is None:
            _refuse(intent, method)
            return Result(Outcome.CHANGED, session)
        return _after(session, due, intent, method, _confirm(intent, method, authenticated=True))

    return _locked(session_id, work)


def _due_still(session: Record, intent: Record) -> quote.Quote | None:
    """The quote, if it still is what the intent was made for; a code may have run out or been taken off meanwhile."""
    try:
        due = quote.of(session)
    except discounts.NotApplicable:
        return None
    return due if due.due == intent.data.get("amount", 0) else None


def apply_code(session_id: str, typed: str) -> str:
    """Put a promotion code on an open session. Returns why not, "" if it is on now."""
    reasons: list[str] = []

    def work(session: Record) -> Result:
        code = store.of("promotion_code", key=typed.strip().upper()).order_by("-data__active", "-id").first()
        if code is None or not session.data["allow_promotion_codes"]:
            reasons.append("unknown")
            return Result(Outcome.CHANGED, session)
        before = session.hidden["discount"]
        session.hidden["discount"] = {"promotion_code": code.stripe_id}
        try:
            quote.show(session, quote.of(session))
        except discounts.NotApplicable as error:
            reasons.append(error.reason)
            session.hidden["discount"] = before
        store.save(session)
        return Result(Outcome.CHANGED, session)

    _locked(session_id, work)
    return reasons[0] if reasons else ""


def remove_code(session_id: str) -> None:
    """Take the promotion code off again."""

    def work(session: Record) -> Result:
        if session.data["allow_promotion_codes"]:
            _without_discount(session)
        return Result(Outcome.CHANGED, session)

    _locked(session_id, work)


def drop_discount(session_id: str) -> None:
    """Take a discount off that can no longer be used."""

    def work(session: Record) -> Result:
        try:
            quote.of(session)
        except discounts.NotApplicable:
            _without_discount(session)
        return Result(Outcome.CHANGED, session)

    _locked(session_id, work)


def _without_discount(session: Record) -> None:
    session.hidden["discount"] = None
    quote.show(session, quote.of(session))
    store.save(session)


def _locked(session_id: str, work: Callable[[Record], Result]) -> Result:
    """Do `work` on the locked session if it is open; else say how it stands."""
    timeline.catch_up()
    with transaction.atomic(using=ALIAS):
        session = Record.objects.select_for_update().get(kind=KIND, stripe_id=session_id)
        if session.data["status"] == "complete":
            return Result(Outcome.PAID, session)
        if session.data["status"] == "expired":
            return Result(Outcome.EXPIRED, session)
        with test_clocks.standing_with(session):
            return work(session)


def _method(entry: Entry) -> Record | None:
    if entry.card is None:
        return None
    billing: dict[str, Any] = {"address": {}, "email": entry.email or None, "name": entry.name or None, "phone": None}
    return payment_methods.new(entry.card, expiry=entry.expiry, billing=billing)


def _intent(session: Record, due: quote.Quote) -> Record:
    """The session's intent: the one of an earlier try if the amount is the same, else a new one."""
    known = store.find(session.hidden["intent"] or "")
    if known is not None and known.data.get("amount", 0) == due.due and known.data["status"] != "canceled":
        return known
    if known is not None and known.kind == "payment_intent":
        payments.cancel(known, at=clock.now())
    if due.due == 0:
        return setup_intents.new_intent(customer=session.data["customer"], parent=session.stripe_id)
    given = session.hidden["payment_intent_data"]
    return payments.new_intent(
        amount=due.due,
        currency=session.data["currency"],
        customer=session.data["customer"],
        parent=session.stripe_id,
        description=given.get("description") or ("Subscription creation" if _subscribes(session) else None),
        metadata=store.merge_metadata({}, given.get("metadata")),
        setup_future_usage="off_session" if _subscribes(session) else given.get("setup_future_usage"),
    )


def _subscribes(session: Record) -> bool:
    return bool(session.data["mode"] == "subscription")


def _confirm(intent: Record, method: Record, *, authenticated: bool = False) -> str:
    confirm = payments.confirm if intent.kind == "payment_intent" else setup_intents.confirm
    return confirm(intent, method, authenticated=authenticated)


def _refuse(intent: Record, method: Record) -> None:
    if intent.kind == "payment_intent":
        payments.refuse_authentication(intent, method)
    else:
        setup_intents.refuse(intent, method, "authentication_failed")


def _after(session: Record, due: quote.Quote, intent: Record, method: Record, decline: str) -> Result:
    if decline:
        store.save(session)
        return Result(Outcome.DECLINED, session, decline)
    if intent.data["status"] == "requires_action":
        store.save(session)
        return Result(Outcome.AUTHENTICATE, session)
    return _done(session, due, intent, method)


def _done(session: Record, due: quote.Quote, intent: Record | None, method: Record | None) -> Result:
    checkout_complete.complete(session, due, intent=intent, method=method)
    return Result(Outcome.PAID, session)


def collects_card(session: Record, due: quote.Quote) -> bool:
    """Whether the page asks for a card: when something is due, and for a subscription unless told otherwise."""
    return due.due > 0 or session.data["payment_method_collection"] == "always"
