"""Small makers of rows for tests: a line says what matters, the rest is filled in."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

from membership import signup
from membership.models import Member, Plan, Price, Tier, User

_serial = itertools.count(1)

TIERS = {"bronze": (1, 2900), "silver": (2, 5900), "gold": (3, 11900)}


def moment(text: str) -> datetime:
    """ "2026-03-10T09:00" as an aware UTC moment."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def plan(code: str = "gold-year", **fields: Any) -> Plan:
    """A plan such as "gold-year" or "silver-month" with its tier and a EUR price, made when first asked for."""
    tier_code, interval = code.rsplit("-", 1)
    rank, amount = TIERS[tier_code]
    tier, _ = Tier.objects.get_or_create(
        code=tier_code, defaults={"name": tier_code.title(), "rank": rank, "color": tier_code}
    )
    made, new = Plan.objects.get_or_create(code=code, defaults={"tier": tier, "interval": interval, **fields})
    if new:
        for currency, value in (("EUR", amount), ("USD", amount), ("JPY", amount * 2)):
            Price.objects.create(plan=made, currency=currency, amount=value)
    return made


def user(email: str = "", **fields: Any) -> User:
    """An account with a unique address and the password "correct horse battery"."""
    return User.objects.create_user(email or f"person{next(_serial)}@example.org", "correct horse battery", **fields)


def member(name: str = "Ada Lovelace", *, at: datetime | None = None, **fields: Any) -> Member:
    """A person on the roll, without a membership."""
    return signup.create_member(user=user(**fields), name=name, at=at or moment("2024-01-01T00:00"))
