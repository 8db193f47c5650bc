"""Household seats: people who share the standing of a payer's membership."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from membership import audit, standing, timeline
from membership.errors import DomainError
from membership.models import HouseholdSeat, Member, Membership
from membership.signals import membership_changed

if TYPE_CHECKING:
    from datetime import datetime


class SeatTaken(DomainError):
    code = "seat_taken"
    message = "This person sits under a membership already, or pays for it themselves."


@transaction.atomic
def open_seat(*, membership: Membership, holder: Member, at: datetime, actor: str) -> HouseholdSeat:
    """Seat `holder` under `membership` from `at` on. Raises SeatTaken."""
    Membership.objects.lock(membership.pk)
    own = standing.own_membership(holder)
    held = own is not None and standing.at(own, at) in standing.HELD
    if held or holder.pk == membership.member_id or holder.seats.filter(closed_at=None).exists():
        raise SeatTaken
    seat = HouseholdSeat.objects.create(membership=membership, holder=holder, opened_at=at)
    _record(seat, "seat_opened", at, actor)
    return seat


@transaction.atomic
def close_seat(*, seat: HouseholdSeat, at: datetime, actor: str) -> HouseholdSeat:
    """Close the seat at `at`; closing twice changes nothing."""
    Membership.objects.lock(seat.membership_id)
    if HouseholdSeat.objects.filter(pk=seat.pk, closed_at=None).update(closed_at=at):
        seat.refresh_from_db()
        _record(seat, "seat_closed", at, actor)
    return seat


def _record(seat: HouseholdSeat, kind: str, at: datetime, actor: str) -> None:
    data = {"seat": seat.pk, "membership": seat.membership_id}
    for member in (seat.membership.member, seat.holder):
        timeline.write(member=member, kind=f"household.{kind}", at=at, actor=actor, data=data)
    audit.write(actor=actor, verb=kind, subject=f"seat:{seat.pk}", at=at, data=data)
    membership = Membership.objects.with_facts().get(pk=seat.membership_id)
    membership_changed.send(sender=Membership, membership=membership, at=at)
