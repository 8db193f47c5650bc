"""Test clocks: customers with a time of their own, which stands still until somebody advances it.

Whatever belongs to such a customer lives on its clock. Advancing takes a while: what falls due on the way happens and
is told, each thing at its moment, while writes to the clock's objects are refused with 429; then the clock is ready.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction

from billing.emulator import clock, events, paging, periods, store, timeline
from billing.emulator.errors import NotStarted, StripeError
from billing.emulator.models import Record
from billing.emulator.routers import ALIAS
from billing.emulator.routing import endpoint

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from billing.emulator.wire import Call

KIND = "test_helpers.test_clock"
KEPT_FOR = 30 * 86_400
MOST_CUSTOMERS, MOST_SUBSCRIPTIONS = 3, 3
INTERVALS_AHEAD, YEARS_AHEAD = 2, 2
SECONDS_TO_ADVANCE = 1.0  # of wall time, unless settings.LOCAL_STRIPE["SECONDS_TO_ADVANCE"] says otherwise
OVER = ["canceled", "incomplete_expired"]


# --- whose time a call goes by ----------------------------------------------------------------------------------------


def standing_for(call: Call) -> AbstractContextManager[None]:
    """Do a call at the time of the clock its objects live on. Raises Stripe's 429 while that one is advancing."""
    named = _of_objects({*call.ids, *_texts(call.params)})
    if not named:
        return nullcontext()
    found = store.get(KIND, named, param="test_clock")
    if found.data["status"] == "advancing":
        raise NotStarted(
            f"Test clock advancement underway - cannot perform modifications: {found.stripe_id}", status=429
        )
    return clock.standing_at(found.data["frozen_time"], test_clock=found.stripe_id)


@contextmanager
def standing_with(record: Record) -> Iterator[None]:
    """Do something to this object at its own time: what a hosted page does."""
    found = store.find(record.test_clock) if record.test_clock else None
    if found is None:
        yield
        return
    with clock.standing_at(found.data["frozen_time"], test_clock=found.stripe_id):
        yield


def _of_objects(ids: set[str]) -> str:
    """The clock among these ids, or the one that an object among them lives on."""
    known = Record.objects.filter(stripe_id__in=ids, deleted=False)
    for kind, stripe_id, test_clock in known.values_list("kind", "stripe_id", "test_clock"):
        if kind == KIND or test_clock:
            return str(stripe_id if kind == KIND else test_clock)
    return ""


def _texts(value: Any) -> set[str]:
    """Every text in the parameters that might be an id."""
    if isinstance(value, str):
        return {value} if "_" in value and len(value) < 255 else set()
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return {text for child in children for text in _texts(child)}


# --- the clocks themselves --------------------------------------------------------------------------------------------


@endpoint("POST /v1/test_helpers/test_clocks")
def create(call: Call) -> Record:
    call.supports("frozen_time", "name")
    made_at = clock.world()
    record = store.create(
        KIND,
        {
            "created": made_at,
            "deletes_after": made_at + KEPT_FOR,
            "frozen_time": call.params["frozen_time"],
            "name": call.params.get("name") or None,
            "status": "ready",
            "status_details": {},
        },
        key="ready",
    )
    events.emit("test_helpers.test_clock.created", record.data)
    return record


@endpoint("GET /v1/test_helpers/test_clocks/{id}")
def retrieve(call: Call) -> Record:
    return store.get(KIND, call.id)


@endpoint("GET /v1/test_helpers/test_clocks")
def index(call: Call) -> dict[str, Any]:
    return paging.page(call, store.of(KIND))


@endpoint("POST /v1/test_helpers/test_clocks/{id}/advance")
def advance(call: Call) -> Record:
    call.supports("frozen_time")
    record, target = store.get(KIND, call.id), call.params["frozen_time"]
    if target <= record.data["frozen_time"]:
        raise StripeError(
            "The time to advance the test clock must be after its current frozen time.", param="frozen_time"
        )
    if target > _furthest(record):
        raise StripeError(
            "Cannot advance the test clock by more than two intervals of its shortest subscription, or two years "
            "without any.",
            param="frozen_time",
        )
    seconds = settings.LOCAL_STRIPE.get("SECONDS_TO_ADVANCE", SECONDS_TO_ADVANCE)
    record.hidden["ready_at"] = clock.wall() + float(seconds)  # type: ignore[arg-type]
    _becomes(record, "advancing", {"advancing": {"target_frozen_time": target}})
    return record


def _furthest(record: Record) -> int:
    start = int(record.data["frozen_time"])
    ends = [
        periods.after(start, recurring["interval"], INTERVALS_AHEAD * recurring["interval_count"])
        for subscription in _subscriptions(record.stripe_id)
        for recurring in (item["price"]["recurring"] for item in subscription.data["items"]["data"])
    ]
    return min(ends, default=periods.after(start, "year", YEARS_AHEAD))


def _subscriptions(test_clock: str, **more: Any) -> Any:
    return store.of("subscription", test_clock=test_clock, **more).exclude(data__status__in=OVER)


@timeline.beside
def go_on() -> int:
    """Do what falls due on the clocks that are advancing, and let those be ready whose time has come."""
    done = 0
    for record in store.of(KIND, key="advancing"):
        reached = _target(record)
        done += timeline.run(until=reached, test_clock=record.stripe_id)
        done += _is_ready(record.id, reached)
    return done


def _target(record: Record) -> int:
    return int(record.data["status_details"]["advancing"]["target_frozen_time"])


def _is_ready(pk: int, reached: int) -> int:
    """All until `reached` is done. Somebody else may have been faster, and have advanced the clock anew."""
    with transaction.atomic(using=ALIAS):
        record = Record.objects.select_for_update().get(id=pk)
        if record.key != "advancing" or _target(record) != reached or clock.wall() < record.hidden["ready_at"]:
            return 0
        record.data["frozen_time"] = reached
        _becomes(record, "ready", {})
    return 1


def _becomes(record: Record, status: str, details: dict[str, Any]) -> None:
    record.key = record.data["status"] = status
    record.data["status_details"] = details
    store.save(record)
    events.emit(f"test_helpers.test_clock.{status}", record.data)


@endpoint("DELETE /v1/test_helpers/test_clocks/{id}")
def delete(call: Call) -> dict[str, Any]:
    record = store.get(KIND, call.id)
    forget(record)
    return store.tombstone(record)


def deletes_after(record: Record) -> int | None:
    return int(record.data["deletes_after"])


@timeline.when_due(KIND, at=deletes_after)
def forget(record: Record) -> None:
    """The clock goes, and all that lived on it; what happened there can still be read in the events."""
    Record.objects.filter(test_clock=record.stripe_id).exclude(kind="event").update(deleted=True, due_at=None)
    store.delete(record)
    events.emit("test_helpers.test_clock.deleted", record.data)


# --- limits -----------------------------------------------------------------------------------------------------------


def check_customer() -> None:
    """Raises when the clock on which a customer is made has as many as it may."""
    found = clock.test_clock()
    if found and store.of("customer", test_clock=found).count() >= MOST_CUSTOMERS:
        raise StripeError(f"A test clock can have at most {MOST_CUSTOMERS} customers.", param="test_clock")


def check_subscription(customer: Record) -> None:
    """Raises when a customer on a clock has as many subscriptions as it may."""
    found = customer.test_clock
    if found and _subscriptions(found, customer=customer.stripe_id).count() >= MOST_SUBSCRIPTIONS:
        raise StripeError(f"A customer on a test clock can have at most {MOST_SUBSCRIPTIONS} subscriptions.")
