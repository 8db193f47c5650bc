"""Seats at events and services, booked by members in the portal or by staff: who has one, and who waits for one.

A place that comes free is the first waiting member's. While somebody waits nobody else gets one, at no door; the worker
gives it, so a cancellation never holds two memberships' locks. Places stay unique by the constraint on redemptions.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_noop

from membership import audit, doorbell, messages, timeline
from membership.errors import DomainError
from perks import events, holding, house_uses
from perks.house_uses import NotAllowed, Wanted
from perks.kinds import event_seat, service
from perks.models import LIVE, Event, Redemption, WaitingPlace

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

    from membership.models import Member

WAITING = WaitingPlace.Status.WAITING


class HasOne(DomainError):
    code = "has_a_seat"
    message = gettext_noop("There is a seat for this event already.")


class TooLate(DomainError):
    """After the booking has closed nobody else could come in their place."""

    code = "booking_closed"
    message = gettext_noop("The booking has closed; please get in touch with us.")


class NotBooked(DomainError):
    code = "not_booked"
    status = 404
    message = gettext_noop("There is no such booking.")


class Booked(NamedTuple):
    """A seat or a service; `use` None: they wait."""

    use: Redemption | None


def seated(event: Event) -> QuerySet[Redemption]:
    """Who has a place at it, in the order of the places."""
    live = Redemption.objects.filter(event=event.code, status__in=LIVE)
    return live.select_related("member__user", "grant__perk").order_by("place")


def waiting(event: Event) -> QuerySet[WaitingPlace]:
    """Who waits for one, in order."""
    return event.waiting.filter(status=WAITING).select_related("member__user").order_by("asked_at", "pk")


def seat_of(member: Member, event: Event) -> Redemption | None:
    return seated(event).filter(member=member).first()


def book_seat(*, member: Member, event: Event, at: datetime, actor: str, once: str = "") -> Booked:
    """A seat, or where all are taken a place on the waiting list. Sent twice (`once`), it is booked once.

    Raises NotAllowed, HasOne, holding.UsedUp.
    """
    wanted = Wanted(kind=event_seat.CODE, event=event.code)
    try:
        with transaction.atomic():
            return Booked(_take(member, event, wanted, at=at, actor=actor, once=once))
    except NotAllowed as refusal:
        if refusal.reason != "full":
            raise
    except events.Full:
        pass
    return _wait(member, event, at=at, actor=actor)


def _take(member: Member, event: Event, wanted: Wanted, *, at: datetime, actor: str, once: str = "") -> Redemption:
    use = house_uses.hold(member=member, wanted=wanted, at=at, once=once)
    if use is None:
        return _before(member, once)
    if seated(event).filter(member=member).exclude(pk=use.pk).exists():
        raise HasOne
    house_uses.commit(use=use, at=at)
    _tell(member, "seat.booked", event, at, actor, source_ref=use.ident)
    _write(member, event, "waited" if wanted.waited else "booked", key=use.ident, at=at)
    return use


def _before(member: Member, once: str) -> Redemption:
    """What the same sending has booked. Raises NotBooked where that was given back since."""
    before = house_uses.taken_before(member, once)
    if before is None or before.status not in LIVE:
        raise NotBooked
    return before


def _wait(member: Member, event: Event, *, at: datetime, actor: str) -> Booked:
    """Asked twice, they stand where they stood."""
    if seat_of(member, event) is not None:
        raise HasOne
    with contextlib.suppress(IntegrityError), transaction.atomic():
        place = WaitingPlace.objects.create(event=event, member=member, asked_at=at)
        _tell(member, "seat.waiting", event, at, actor)
        _write(member, event, "waiting", key=f"waiting:{place.pk}", at=at)
    doorbell.ring("perks.seat_waiting", event.pk)  # one may have come free this moment
    return Booked(None)


def give_back(*, use: Redemption, at: datetime, actor: str, by_staff: bool = False) -> None:
    """The seat, or the service, is free again; a seat is the first waiting member's. Staff may at any time, members
    until the booking closes. Raises TooLate, NotBooked."""
    event = Event.objects.filter(code=use.event).first() if use.event else None
    if event is not None and not by_staff and at >= event.booking_closes_at:
        raise TooLate
    with transaction.atomic():
        if not house_uses.free(use=use, at=at):
            raise NotBooked
        if event is None:
            _tell_service(use, "service.given_back", at, actor)
            return
        _tell(use.member, "seat.given_back", event, at, actor, source_ref=use.ident)
        _write(use.member, event, "given_back", key=f"back:{use.ident}", at=at)
        doorbell.ring("perks.seat_waiting", event.pk)


def leave(*, member: Member, event: Event, at: datetime, actor: str) -> None:
    """They wait no more. Raises NotBooked."""
    with transaction.atomic():
        place = event.waiting.filter(member=member, status=WAITING)
        if not place.update(status=WaitingPlace.Status.LEFT, settled_at=at):
            raise NotBooked
        _tell(member, "seat.left", event, at, actor)
    doorbell.ring("perks.seat_waiting", event.pk)  # a place kept for them is the next one's


def fill(*, event: Event, at: datetime) -> int:
    """Give free places to who waits, in order, each in a transaction of its own. -> how many got one."""
    seats = 0
    for place in waiting(event) if event.booking_closes_at > at else ():
        try:
            with transaction.atomic():
                seats += _seat(place, at)
        except events.Full:
            break
        except NotAllowed as refusal:
            if refusal.reason == "full":
                break
            _pass(place, at)
        except (HasOne, holding.UsedUp, holding.NoLongerHonored):
            _pass(place, at)
    return seats


def _seat(place: WaitingPlace, at: datetime) -> bool:
    """Settled first: of two workers, and of a worker and a member who leaves, the second finds it so. Where no seat
    can be had the transaction takes it back. False: settled by somebody else."""
    if not _settle(place, WaitingPlace.Status.SEATED, at):
        return False
    wanted = Wanted(kind=event_seat.CODE, event=place.event.code, waited=True)
    _take(place.member, place.event, wanted, at=at, actor="system")
    return True


def _pass(place: WaitingPlace, at: datetime) -> None:
    with transaction.atomic():
        if _settle(place, WaitingPlace.Status.PASSED, at):
            _tell(place.member, "seat.passed", place.event, at, "system")
            _write(place.member, place.event, "passed", key=f"passed:{place.pk}", at=at)


def _settle(place: WaitingPlace, status: WaitingPlace.Status, at: datetime) -> bool:
    mine = WaitingPlace.objects.filter(pk=place.pk, status=WAITING)
    return bool(mine.update(status=status, settled_at=at))


def sweep(*, at: datetime) -> None:
    """Every event that somebody waits for, whether or not a bell was heard."""
    for event in Event.objects.filter(booking_closes_at__gt=at, waiting__status=WAITING).distinct():
        fill(event=event, at=at)


def book_service(*, member: Member, perk: str, at: datetime, actor: str, once: str = "") -> Redemption:
    """One use of a service, from now. Sent twice (`once`), it is booked once. Raises NotAllowed, holding.UsedUp."""
    with transaction.atomic():
        use = house_uses.hold(member=member, wanted=Wanted(kind=service.CODE, perk=perk), at=at, once=once)
        if use is None:
            return _before(member, once)
        house_uses.commit(use=use, at=at)
        _tell_service(use, "service.booked", at, actor)
    return use


def _tell(member: Member, kind: str, event: Event, at: datetime, actor: str, *, source_ref: str = "") -> None:
    said = {"event": event.code}
    timeline.write(member=member, kind=kind, at=at, actor=actor, data=said, source_ref=source_ref)
    audit.write(actor=actor, verb=kind.replace(".", "_"), subject=f"member:{member.pk}", at=at, data=said)


def _tell_service(use: Redemption, kind: str, at: datetime, actor: str) -> None:
    said = {"perk": use.grant.perk.code, "redemption": use.ident}
    timeline.write(member=use.member, kind=kind, at=at, actor=actor, data=said, source_ref=use.ident)
    audit.write(actor=actor, verb=kind.replace(".", "_"), subject=f"member:{use.member_id}", at=at, data=said)


def _write(member: Member, event: Event, state: str, *, key: str, at: datetime) -> None:
    context = {"event": event, "state": state}
    messages.write(key=f"event_seat:{key}:{state}", kind="event_seat", member=member, at=at, context=context)
