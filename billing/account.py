"""The one Stripe account that this database belongs to: remembered at first sight, compared before every call.

A copy of the database that is started with another account's key, or a production copy started with a test key, must
not touch money. Only the gateway asks here, so perk checks never notice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

from billing.models import StripeAccount
from membership import clock

if TYPE_CHECKING:
    from collections.abc import Callable

_of_key: dict[str, str] = {}  # which account a key opens never changes, so each process asks once


def objection(ask: Callable[[], str]) -> str:
    """Why this key must not be used on this database; "" when nothing speaks against it.

    `ask` gives the account's id from Stripe, as often as once a process.
    """
    key = settings.STRIPE_SECRET_KEY
    if key not in _of_key:
        _of_key[key] = ask()
    found = {"stripe_id": _of_key[key], "livemode": settings.PRODUCTION}
    known = StripeAccount.objects.filter(pk=1).first()
    if known is None:
        known, _ = StripeAccount.objects.get_or_create(pk=1, defaults={**found, "first_seen_at": clock.now()})
    if known.stripe_id != found["stripe_id"]:
        return f"This database belongs to the Stripe account {known.stripe_id}; the key is {found['stripe_id']}'s."
    if known.livemode is not found["livemode"]:
        return f"This database belongs to Stripe's {_mode(known.livemode)} mode; this process runs in the other."
    return ""


def _mode(live: bool) -> str:
    return "live" if live else "test"


def forget() -> None:
    """For tests: each has a local Stripe of its own."""
    _of_key.clear()
