"""Holds: staff suspend a membership and lift that again. Perks stop at once; the renewal is kept from being collected.

Only the staff's own stop is opened and lifted here: one of a dispute is the dispute's. Stripe is told by aligning.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from membership import audit, lifecycle
from membership.models import Membership, Stop

if TYPE_CHECKING:
    from datetime import datetime


def suspend(*, membership: Membership, reason: str, at: datetime, actor: str) -> Stop:
    """Hold the membership for a reason of staff's. Held by staff already: that stop stands.

    Raises lifecycle.NotPossible.
    """
    with transaction.atomic():
        membership = Membership.objects.lock(membership.pk)
        held = _open(membership)
        if held is not None:
            return held
        source_ref = f"{membership.pk}:{at.isoformat()}"
        lifecycle.suspend(membership=membership, source=Stop.Source.STAFF, source_ref=source_ref, at=at, actor=actor)
        _record("suspend_because", membership, reason, at, actor)
        return Stop.objects.get(source=Stop.Source.STAFF, source_ref=source_ref)


def lift(*, membership: Membership, reason: str, at: datetime, actor: str) -> bool:
    """Lift staff's stop. -> whether there was one. Any other stop stays, and with it the hold."""
    with transaction.atomic():
        membership = Membership.objects.lock(membership.pk)
        held = _open(membership)
        if held is None:
            return False
        lifecycle.lift(membership=membership, source=held.source, source_ref=held.source_ref, at=at, actor=actor)
        _record("lift_because", membership, reason, at, actor)
        return True


def _open(membership: Membership) -> Stop | None:
    return Stop.objects.filter(membership=membership, source=Stop.Source.STAFF, lifted_at=None).first()


def _record(verb: str, membership: Membership, reason: str, at: datetime, actor: str) -> None:
    audit.write(actor=actor, verb=verb, subject=f"membership:{membership.pk}", at=at, data={"reason": reason})
