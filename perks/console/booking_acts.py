"""Staff book a seat or a service for a member, and give one back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from membership import standing
from membership.console.acts import Act, ActForm, Case, offer
from membership.templatetags import vip
from perks import bookings, house_uses, seats
from perks.house_uses import NotAllowed, Wanted
from perks.kinds import event_seat, service
from perks.models import LIVE, Event, Redemption, WaitingPlace

if TYPE_CHECKING:
    from collections.abc import Callable

    from perks.engine import Decision


class WhatForm(ActForm):
    """One choice of what `choices_for` finds for the member."""

    what = forms.ChoiceField(label=_("What"))
    choices_for: Callable[[Case], list[tuple[str, str]]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["what"]
        field.choices = type(self).choices_for(self.case)


def bookable(case: Case) -> list[tuple[str, str]]:
    """Events and services that a perk of the member is good for, whoever books them."""
    events = [e for e in Event.objects.filter(published=True, booking_closes_at__gt=case.at) if _holds(case, e)]
    found = [(f"event:{e.code}", f"{e.name}, {vip.moment(e.starts_at)}") for e in events]
    return found + [(f"service:{s.perk}", s.words) for s in bookings.service_lines(case.member, case.at)]


def _holds(case: Case, event: Event) -> bool:
    wanted = Wanted(kind=event_seat.CODE, event=event.code)
    decision = house_uses.decide(member=case.member, wanted=wanted, at=case.at)
    return decision is not None and (decision.allowed or decision.reason not in bookings.NOT_HELD)


class BookForm(WhatForm):
    choices_for = staticmethod(bookable)


@offer
class Book(Act):
    name, order = "book", 55
    label, button, done = _("Book a seat or a service"), _("Book it"), _("It is booked.")
    about = _("As the member does in the portal. Where every seat is taken, they join the waiting list.")
    form = BookForm

    def fits(self, case: Case) -> bool:
        current = standing.speaking(case.member, case.membership, case.at)
        honored = current is not None and standing.at(current, case.at) in standing.HONORED
        return honored and bool(bookable(case))

    def preview(self, case: Case, asked: dict[str, Any]) -> list[str]:
        kind, _sep, code = asked["what"].partition(":")
        wanted = Wanted(kind=event_seat.CODE, event=code) if kind == "event" else Wanted(kind=service.CODE, perk=code)
        decision = house_uses.decide(member=case.member, wanted=wanted, at=case.at)
        if kind == "event":
            return _of_event(case, Event.objects.get(code=code), full=decision and decision.reason == "full") + (
                [] if decision is None or decision.reason == "full" else _left(decision)
            )
        return [gettext("One use of the service is booked."), *_left(decision)]

    def do(self, case: Case, asked: dict[str, Any]) -> None:
        kind, _sep, code = asked["what"].partition(":")
        told: dict[str, Any] = {"member": case.member, "at": case.at, "actor": case.staff.actor, "once": asked["once"]}
        if kind == "event":
            seats.book_seat(event=Event.objects.get(code=code), **told)
        else:
            seats.book_service(perk=code, **told)


def _of_event(case: Case, event: Event, *, full: Any) -> list[str]:
    if seats.seat_of(case.member, event) is not None:
        raise seats.HasOne
    facts = {"name": event.name, "moment": vip.moment(event.starts_at), "turn": seats.waiting(event).count() + 1}
    if full:
        return [
            gettext("Every seat is taken: %(name)s. The member becomes number %(turn)s on the waiting list.") % facts
        ]
    return [gettext("The member has a seat: %(name)s, %(moment)s. They are told by mail.") % facts]


def _left(decision: Decision | None) -> list[str]:
    """What the booking takes of an allowance. Raises NotAllowed."""
    if decision is None or not decision.allowed:
        raise NotAllowed(decision)
    if decision.uses_left is None:
        return []
    return [gettext("It takes one of %(left)s uses that are left.") % {"left": decision.uses_left}]


def booked(case: Case) -> list[tuple[str, str]]:
    """What we booked for the member and has not begun, and where they wait. What a shop booked is the shop's."""
    live = Redemption.objects.filter(member=case.member, shop=None, status__in=LIVE, concierge_request=None)
    events = {event.code: event for event in Event.objects.filter(starts_at__gt=case.at)}
    found = []
    for use in live.select_related("grant__perk").order_by("-held_at")[:50]:
        if use.event in events:
            found.append((f"use:{use.pk}", f"{events[use.event].name}, {vip.moment(events[use.event].starts_at)}"))
        elif not use.event:
            found.append((f"use:{use.pk}", f"{use.grant.perk.name}, {vip.moment(use.held_at)}"))
    waits = bookings.waiting_places(case.member)
    return found + [(f"wait:{w.pk}", gettext("Waiting list: %(name)s") % {"name": w.event.name}) for w in waits]


class UnbookForm(WhatForm):
    choices_for = staticmethod(booked)


@offer
class Unbook(Act):
    name, order = "unbook", 56
    label, button, done = _("Give a booking back"), _("Give it back"), _("It is given back.")
    about = _("A seat goes to the first on the waiting list; the use counts no more.")
    form = UnbookForm

    def fits(self, case: Case) -> bool:
        return bool(booked(case))

    def preview(self, case: Case, asked: dict[str, Any]) -> list[str]:
        kind, _sep, pk = asked["what"].partition(":")
        name = dict(booked(case)).get(asked["what"], "")
        if kind == "wait":
            return [gettext("The member waits no more: %(name)s.") % {"name": name}]
        use = Redemption.objects.get(pk=pk)
        lines = [gettext("It is given back, and counts no more: %(name)s.") % {"name": name}]
        event = Event.objects.filter(code=use.event).first() if use.event else None
        if event is not None:
            first = seats.waiting(event).first()
            lines.append(gettext("The member is told by mail."))
            if first is not None and event.booking_closes_at > case.at:
                lines.append(gettext("The seat goes to %(name)s, who waits for it.") % {"name": first.member.name})
        return lines

    def do(self, case: Case, asked: dict[str, Any]) -> None:
        kind, _sep, pk = asked["what"].partition(":")
        if kind == "wait":
            event = WaitingPlace.objects.select_related("event").get(pk=pk).event
            seats.leave(member=case.member, event=event, at=case.at, actor=case.staff.actor)
        else:
            use = Redemption.objects.select_related("grant__perk", "member__user").get(pk=pk)
            seats.give_back(use=use, at=case.at, actor=case.staff.actor, by_staff=True)
