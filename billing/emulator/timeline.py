"""What happens by itself as time passes: objects say when they are due, modules say what happens then.

There is no need for a process to be awake: whoever asks first after the moment makes it happen, and the supervised
`local_stripe` process asks every second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from billing.emulator import clock
from billing.emulator.models import Record
from billing.emulator.routers import ALIAS

if TYPE_CHECKING:
    from collections.abc import Callable

    Happening = Callable[[Record], None]

_happenings: dict[str, Happening] = {}


def when_due(kind: str) -> Callable[[Happening], Happening]:
    """@when_due("checkout.session"): called with the locked object; it must move or clear `due_at`."""

    def announce(happening: Happening) -> Happening:
        _happenings[kind] = happening
        return happening

    return announce


def catch_up() -> int:
    """Do all that is due by now, in order of time. Returns how many things happened."""
    now, done = clock.now(), 0
    while (due := _next(now)) is not None:
        with transaction.atomic(using=ALIAS):
            record = Record.objects.select_for_update().get(id=due.id)
            if record.due_at == due.due_at:  # nobody else was faster
                _happenings[record.kind](record)
                done += 1
    return done


def _next(now: int) -> Record | None:
    return Record.objects.filter(due_at__isnull=False, due_at__lte=now).order_by("due_at", "id").first()
