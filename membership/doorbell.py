"""ring(): tell a worker that a row waits. Only an id travels; if the bell is lost, the sweep finds the row."""

from __future__ import annotations

import logging
from time import monotonic

from celery.exceptions import SoftTimeLimitExceeded
from django.db import transaction

from membership.celery import app

log = logging.getLogger("vip.doorbell")

QUIET = 10.0  # seconds without a ring after one that was not taken: people wait behind it, and the sweeps come anyway
_quiet_until = 0.0


def ring(task: str, pk: int | str) -> None:
    """Send `task` (by name) the id of a row, after the transaction commits. A broker that is away is only logged."""
    transaction.on_commit(lambda: _send(task, pk))


def _send(task: str, pk: int | str) -> None:
    global _quiet_until
    if monotonic() < _quiet_until:
        return
    try:
        app.send_task(task, args=[pk], retry=False)
    except SoftTimeLimitExceeded:
        raise  # the time of the task that rings is over, and it must end
    except Exception as error:  # whatever a broker library raises: the row is safe, the sweep will come
        _quiet_until = monotonic() + QUIET
        log.warning("the broker did not take %s: %s", task, type(error).__name__)
