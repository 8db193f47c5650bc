"""Bookings in the portal: seats at events and services that members book themselves, and what they have booked."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson
from django.contrib import messages as notes
from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from membership import clock
from membership.errors import DomainError
from membership.views.pages import member_of
from perks import house_uses, kinds, lookup, members, seats
from perks.house_uses import Wanted
from perks.kinds import event_seat, service
from perks.models import Event, Redemption, TierPerk, WaitingPlace

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from django.http import HttpRequest, HttpResponse

    from membership.models import Member
    from perks.engine import Decision


@dataclass(frozen=True)
class EventLine:
    """An event as one member sees it. `turn`: how many stand before them on the waiting list and they; 0: they do not
    wait. `no`: why they cannot book, in words; with a seat or a turn it does not matter."""

    event: Event
    left: int
    waiting: int
    seat: Redemption | None
    turn: int
    no: str
    may_give_back: bool


@dataclass(frozen=True)
class ServiceLine:
    perk: str
    words: str
    left: int | None
    no: str
    in_portal: bool


@login_required
@require_safe
def bookings(request: HttpRequest) -> HttpResponse:
    """Events ahead, services that are included, and what is booked; who has neither reads which tier does."""
    member, at = member_of(request), clock.now()
    context = {
        "events": event_lines(member, at) if member else [],
        "services": service_lines(member, at) if member else [],
        "booked": _booked_services(member) if member else [],
        "offers": _offers(),
        "once": secrets.token_urlsafe(16),
    }
    return render(request, "perks/bookings.html", context)


def event_lines(member: Member, at: datetime) -> list[EventLine]:
    """The events ahead that a perk of the member is good for, or at which they have a seat or wait for one."""
    lines = [_event_line(member, event, at) for event in Event.objects.filter(published=True, starts_at__gt=at)]
    return [line for line in lines if line is not None]


def _event_line(member: Member, event: Event, at: datetime) -> EventLine | None:
    decision = house_uses.decide(member=member, wanted=Wanted(kind=event_seat.CODE, event=event.code), at=at)
    mine = seats.seat_of(member, event)
    waiting = list(seats.waiting(event).values_list("member", flat=True))
    turn = waiting.index(member.pk) + 1 if member.pk in waiting else 0
    held = (
        decision is not None and (decision.allowed or decision.reason not in NOT_HELD) and _opens(decision, member, at)
    )
    if not held and mine is None and not turn:
        return None
    no = "" if decision is None or decision.allowed or decision.reason == "full" else decision.message
    left = max(0, event.places - seats.seated(event).count() - len(waiting))
    return EventLine(event, left, len(waiting), mine, turn, no, at < event.booking_closes_at)


NOT_HELD = frozenset({"not_in_tier", "not_a_member", "unknown_perk", "nothing_eligible"})


def _opens(decision: Decision, member: Member, at: datetime) -> bool:
    """Whether the perk that the decision is about lets members book for themselves."""
    settings = _settings(member, decision.perk, at)
    return settings is None or bool(getattr(settings, "in_portal", False))


def _settings(member: Member, perk: str, at: datetime) -> kinds.KindSettings | None:
    """Those the member holds the perk under; None: it is not held."""
    found = lookup.by_member(member.pk, at=at)
    held = found.facts.held(at).get(perk) if found and found.facts else None
    return kinds.load(held.kind, held.settings)[1] if held else None


def service_lines(member: Member, at: datetime) -> list[ServiceLine]:
    """The services that the member holds now."""
    found = lookup.by_member(member.pk, at=at)
    told = members.detail(found, at=at)["perks"] if found else []
    return [_service_line(member, perk["perk"], perk["words"], at) for perk in told if perk["kind"] == service.CODE]


def _service_line(member: Member, perk: str, words: str, at: datetime) -> ServiceLine:
    decision = house_uses.decide(member=member, wanted=Wanted(kind=service.CODE, perk=perk), at=at)
    settings = _settings(member, perk, at)
    no = "" if decision is None or decision.allowed else decision.message
    left = decision.uses_left if decision else None
    return ServiceLine(perk, words, left, no, isinstance(settings, service.Settings) and settings.in_portal)


def _booked_services(member: Member) -> list[Redemption]:
    """Those booked with us, the newest first; what a till booked stands among the savings."""
    mine = Redemption.objects.filter(member=member, shop=None, grant__perk__kind=service.CODE, status="committed")
    return list(mine.select_related("grant__perk").order_by("-committed_at")[:20])


def _offers() -> list[tuple[str, str]]:
    """Tier and words of every perk that can be booked."""
    carried = TierPerk.objects.filter(perk__kind__in=[service.CODE, event_seat.CODE], perk__published=True)
    found = carried.select_related("tier", "perk").order_by("tier__rank", "perk__position")
    return [(one.tier.name, _words(one)) for one in found]


def _words(one: TierPerk) -> str:
    settings = orjson.dumps(one.sold_settings(), option=orjson.OPT_SORT_KEYS).decode()
    kind, checked = kinds.load(one.perk.kind, settings)
    return kind.words(checked)


@login_required
@require_POST
def book_seat(request: HttpRequest, code: str) -> HttpResponse:
    def act(member: Member, event: Event, at: datetime) -> str:
        if all(line.event.pk != event.pk for line in event_lines(member, at)):
            raise Http404  # not theirs to book here
        once = request.POST.get("once", "")[:40]
        booked = seats.book_seat(member=member, event=event, at=at, actor=f"member:{member.pk}", once=once)
        return gettext("Your seat is booked.") if booked.use else gettext("You are on the waiting list.")

    return _done(request, code, act)


@login_required
@require_POST
def give_seat_back(request: HttpRequest, code: str) -> HttpResponse:
    def act(member: Member, event: Event, at: datetime) -> str:
        mine = seats.seat_of(member, event)
        if mine is None or mine.shop_id is not None:  # what a shop booked is the shop's to take back
            raise seats.NotBooked
        seats.give_back(use=mine, at=at, actor=f"member:{member.pk}")
        return gettext("Your seat is given back.")

    return _done(request, code, act)


@login_required
@require_POST
def leave_waiting_list(request: HttpRequest, code: str) -> HttpResponse:
    def act(member: Member, event: Event, at: datetime) -> str:
        seats.leave(member=member, event=event, at=at, actor=f"member:{member.pk}")
        return gettext("You wait no more.")

    return _done(request, code, act)


@login_required
@require_POST
def book_service(request: HttpRequest, perk: str) -> HttpResponse:
    member, at = member_of(request), clock.now()
    lines = service_lines(member, at) if member else []
    if member is None or not any(line.perk == perk and line.in_portal for line in lines):
        raise Http404
    once = request.POST.get("once", "")[:40]

    def act() -> str:
        seats.book_service(member=member, perk=perk, at=at, actor=f"member:{member.pk}", once=once)
        return gettext("It is booked. We look forward to you.")

    return _told(request, act)


def _done(request: HttpRequest, code: str, act: Callable[[Member, Event, datetime], str]) -> HttpResponse:
    member, event = member_of(request), Event.objects.filter(code=code).first()
    if member is None or event is None:
        raise Http404
    return _told(request, lambda: act(member, event, clock.now()))


def _told(request: HttpRequest, act: Callable[[], str]) -> HttpResponse:
    """Back to the bookings, with what happened or why it did not."""
    try:
        notes.success(request, act())
    except DomainError as refusal:
        notes.warning(request, gettext(str(refusal)))
    return redirect("bookings")


def waiting_places(member: Member) -> list[WaitingPlace]:
    """Where the member waits, for staff."""
    mine = WaitingPlace.objects.filter(member=member, status=seats.WAITING)
    return list(mine.select_related("event"))
