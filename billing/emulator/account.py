"""The account: one, in test mode, the same for the life of the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from billing.emulator import store
from billing.emulator.routers import ALIAS
from billing.emulator.routing import endpoint

if TYPE_CHECKING:
    from billing.emulator.models import Record
    from billing.emulator.wire import Call


@endpoint("GET /v1/account")
def retrieve(call: Call) -> Record:
    return the_account()


def the_account() -> Record:
    """The one account, made when first asked for."""
    known = store.of("account").first()
    if known is not None:
        return known
    with transaction.atomic(using=ALIAS):
        return store.of("account").first() or store.create(
            "account",
            {
                "business_profile": {"name": "Local Stripe"},
                "charges_enabled": True,
                "country": "NL",
                "default_currency": "eur",
                "details_submitted": True,
                "payouts_enabled": True,
                "type": "standard",
            },
        )
