"""`python -m tests.billing_e2e.teardown`: the hook at a scenario's end, while its customer is still there.

What is due is done, except by the sweeps that would mend what was lost, and every invariant must hold at the
scenario's own moment. Then `manage.py billing_e2e teardown` ends the membership, and what Stripe tells of that is
heard out, for afterwards nobody can be asked about it.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable

import django
from django.core.management import CommandError, call_command

MENDING = {"reconcile with Stripe", "read overdue ones again"}
SOUND, QUIET = 25.0, 10.0  # seconds: the worker is at it too, and billing-e2e waits for a minute


def main() -> int:
    django.setup()
    _ring()
    told = _waited(_broken, SOUND)
    try:
        call_command("billing_e2e", "teardown")
    except CommandError as problem:
        told.append(f"it could not be ended: {problem}")
    told += _waited(_unheard, QUIET)
    print("\n".join(told) or "every invariant holds")
    return 1 if told else 0


def _ring() -> None:
    """Beat rings once a minute: too seldom for a scenario."""
    from membership import celery  # only once Django is set up

    for name, entry in celery.schedule().items():
        if name not in MENDING:
            celery.app.tasks[entry["task"]]()


def _waited(ask: Callable[[], list[str]], seconds: float) -> list[str]:
    """What is still answered after so many seconds; nothing, as soon as nothing is."""
    until = time.monotonic() + seconds
    while (told := ask()) and time.monotonic() < until:
        time.sleep(0.5)
    return told


def _broken() -> list[str]:
    """Every breach, but that Stripe's lists know nothing more of former scenarios' customers, nor of subscriptions on
    a test clock. Those are read one by one.
    """
    from billing.invariants import ledger  # only once Django is set up
    from billing.models import LIVE, Subscription
    from membership import invariants
    from membership.models import Member

    own = Member.objects.filter(user__email=os.environ["BILLING_E2E_CUSTOMER_EMAIL"]).first()
    live = Subscription.objects.filter(status__in=LIVE).values_list("stripe_id", flat=True)
    expected = {f"{len(live)} of our live subscriptions are not alive at Stripe"}
    for name, (_, model) in ledger.LISTS.items():
        others = model._default_manager.exclude(stripe_id=None).exclude(membership__member=own).count()
        expected.add(f"{others} of our {name} are not in Stripe's list")
    asked = [(one, breach) for one in invariants.all_registered() for breach in one.check()]
    return [f"{one.id}: {breach}" for one, breach in asked if breach not in expected] + _not_alive(live)


def _not_alive(live: Iterable[str]) -> list[str]:
    from billing import differences, gateway  # only once Django is set up
    from billing.models import LIVE

    rows = [gateway.read(gateway.client().v1.subscriptions.retrieve, stripe_id) for stripe_id in live]
    differing = [f"I8: {ident}: {said}" for ident, said in differences.subscriptions(rows).items()]
    return differing + [f"I8: {row['id']} is {row['status']} at Stripe" for row in rows if row["status"] not in LIVE]


def _unheard() -> list[str]:
    """Events that wait to be told, or to be worked off."""
    from billing.emulator import delivery
    from billing.models import StripeEvent

    waiting = StripeEvent.objects.filter(done_at=None, parked_reason="")
    return [f"not delivered: {row.event.key}" for row in delivery.waiting()] + [f"undone: {one}" for one in waiting]


if __name__ == "__main__":
    sys.exit(main())
