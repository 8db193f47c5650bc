"""Operations: what we ask of Stripe, written down before it is asked, so that no answer that is lost loses anything.

Each creating call is a row with its own idempotency key, committed first; the call is made under that key and its
answer kept. What was never answered, the janitor asks about.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from billing import gateway
from billing.models import Operation
from membership import clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from membership.models import Member

KEY_LIFE = timedelta(hours=23)  # Stripe keeps a key for at least 24 h; the hour is for the call that is under way
OPEN = (Operation.State.UNKNOWN, Operation.State.PARKED)  # of which nobody can say yet what came of it
FIRST_LOOK = timedelta(minutes=5)  # after which the janitor asks what came of an Operation
ANOTHER = 4.0  # seconds to wait for the answer to somebody else's call: a card's payment takes one to three


def note(*, key: str, kind: str, params: dict[str, Any], member: Member | None = None) -> Operation:
    """The Operation of this key: the one that stands (with its own parameters), or a new one.

    Stripe keeps a refusal under its key for a day; so what was refused is asked anew under the key's next number.
    """
    fields = {
        "kind": kind,
        "params": params,
        "member": member,
        "asked_at": clock.now(),
        "look_at": clock.now() + FIRST_LOOK,
        "key_good_until": clock.wall() + KEY_LIFE,
    }
    # One whole key at a time: a search for how keys begin has no index on SQLite.
    rows = (Operation.objects.get_or_create(key=f"{key}#{number}", defaults=fields)[0] for number in count(1))
    return next(row for row in rows if row.state != Operation.State.REFUSED)


def noted(key: str) -> Operation | None:
    """The first Operation of this key, whatever came of it."""
    return Operation.objects.filter(key=f"{key}#1").first()


def is_noted(key: str) -> bool:
    """Whether an Operation of this key was ever noted."""
    return Operation.objects.filter(key=f"{key}#1").exists()


def answer_of_another(operation: Operation) -> bool:
    """Wait until whoever asked has kept an answer, as long as a reader of a page may wait. -> whether one came."""
    ends = monotonic() + ANOTHER
    while operation.state == Operation.State.UNKNOWN and monotonic() < ends:
        sleep(0.2)
        operation.refresh_from_db()
    return operation.state != Operation.State.UNKNOWN


def create[T](function: Callable[..., T], operation: Operation) -> T:
    """Make a creating call for an Operation that is committed already; keep what came of it.

    Raises gateway.StripeUnavailable also when Stripe may have forgotten the key: then the janitor must look before
    anybody asks again, or the thing would be made twice.
    """
    if is_forgotten(operation):
        raise gateway.StripeUnavailable
    return attempt(operation, lambda: function(operation.params, {"idempotency_key": operation.key}))


def attempt[T](operation: Operation, make: Callable[[], T]) -> T:
    """Make the call of an Operation under its key, and keep what came of it: done, or refused (and raised)."""
    try:
        made = gateway.call(make)
    except gateway.StripeRefused as refusal:
        _answered(operation, Operation.State.REFUSED, error=str(refusal.details["said"]))
        raise
    done(operation, stripe_id=getattr(made, "id", ""))
    return made


# What Stripe says when a thing we want done is done already.
DONE_ALREADY = {"resource_missing", "charge_already_refunded"}


def settle(operation: Operation, make: Callable[[], Any]) -> bool:
    """Make the call of a noted Operation. -> whether it is done now, by us or already.

    Any other refusal (no money on the account) leaves it open with its reason, to be asked again.
    """
    made = part(operation, make)
    if made is not None:
        done(operation, stripe_id=made)
    return made is not None


def part(operation: Operation, make: Callable[[], Any]) -> str | None:
    """Make one of the calls of a noted Operation, which stays open. -> the id of what was made, "" if that was done
    already; None: refused, the reason kept."""
    try:
        made = gateway.call(make)
    except gateway.StripeRefused as refusal:
        if refusal.details["code"] in DONE_ALREADY:
            return ""
        _answered(operation, operation.state, error=str(refusal.details["said"]))
        return None
    return str(getattr(made, "id", ""))


def done(operation: Operation, *, stripe_id: str) -> None:
    """It is made: as `stripe_id` at Stripe."""
    _answered(operation, Operation.State.DONE, stripe_id=stripe_id)


def is_forgotten(operation: Operation) -> bool:
    """Whether Stripe may have forgotten the key, so that asking again could make the thing twice."""
    return operation.key_good_until is None or clock.wall() >= operation.key_good_until


def never_arrived(operation: Operation) -> None:
    """It was looked for and is not there, and its key is too old to arrive still. Whoever wants it asks anew."""
    _answered(operation, Operation.State.REFUSED, error="It never reached Stripe.")


def _answered(operation: Operation, state: str, **fields: Any) -> None:
    if state in {Operation.State.DONE, Operation.State.REFUSED}:
        fields["look_at"] = None
    for name, value in {"state": state, "answered_at": clock.now(), **fields}.items():
        setattr(operation, name, value)
    operation.save(update_fields=["state", "answered_at", *fields])
