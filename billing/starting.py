"""What a process of billing's does once, as it starts: see that the key belongs to this database, and say so if not."""

from __future__ import annotations

import logging
import threading

from django.db import DatabaseError, connections

from billing import gateway
from membership.errors import DomainError

log = logging.getLogger("vip.billing")


def look_at_account() -> None:
    """Compare the account. Whatever comes of it, the process starts: every call to Stripe compares again."""
    try:
        gateway.check_account()
    except gateway.WrongAccount:
        pass  # the gateway has said it
    except (DomainError, DatabaseError) as problem:
        log.warning("the Stripe account could not be looked at yet: %s", type(problem).__name__)


def begin() -> threading.Thread:
    """Look at the account beside what starts here: neither perk checks nor a worker's pool wait for Stripe."""
    thread = threading.Thread(target=_look_and_leave, name="look-at-account", daemon=True)
    thread.start()
    return thread


def _look_and_leave() -> None:
    try:
        look_at_account()
    finally:
        connections.close_all()
