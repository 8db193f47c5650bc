"""Event seat: a place at a workshop, a dinner, a first night. Places are numbered, the same ones for all members."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from perks import allowances
from perks.kinds.base import Effect, KindSettings, Names, Question, Refusal, Words, localized
from perks.shown import Better, Shown

if TYPE_CHECKING:
    from perks.kinds.base import EventDates

CODE = "event_seat"
LABEL = gettext_lazy("Seat at an event")
A_WHILE = timedelta(minutes=1)  # in which a place may be given back


class Settings(KindSettings):
    """`events`: codes of those it is good for (None: every one). `seat` says what members have: "A seat at …".
    `in_portal`: members book it themselves."""

    seat: Annotated[Names, Shown(gettext_lazy("Seat"), gettext_lazy("As members read it: “A seat at our workshops”."))]
    events: Annotated[
        frozenset[Words] | None,
        Shown(gettext_lazy("Events"), gettext_lazy("Their codes, one a line. Empty: every event."), Better.WIDER),
    ] = None
    in_portal: Annotated[
        bool,
        Shown(gettext_lazy("Members book it in their portal"), gettext_lazy("Otherwise staff do."), Better.MORE),
    ] = True


def asked_about(settings: Settings, question: Question) -> EventDates | None:
    """The event that a line of the basket is for, by its SKU; without such a line, the next that can be booked."""
    covered = [e for e in question.events.values() if settings.events is None or e.code in settings.events]
    skus = {line.sku for line in question.basket.lines} if question.basket else set()
    named = [event for event in covered if event.code in skus]
    ahead = [event for event in covered if question.at < event.closes_at] if not skus else []
    return min(named or ahead, key=lambda event: (event.starts_at, event.code), default=None)


def refuse(settings: Settings, question: Question) -> Refusal | None:
    event = asked_about(settings, question)
    if event is None:
        return Refusal("nothing_eligible")
    if question.at >= event.closes_at:
        return Refusal("closed")
    if question.at < event.opens_at:
        return Refusal("not_open_yet", {"opens_at": event.opens_at}, event.opens_at)
    question.changes.append(event.closes_at)
    if event.taken >= event.places:
        question.changes.append(question.at + A_WHILE)
        return Refusal("full")
    return None


def effect(settings: Settings, question: Question) -> Effect:
    event = asked_about(settings, question)
    assert event is not None
    return Effect("service", event=event.code)


def sentence(settings: Settings, question: Question) -> str:
    return _("%(service)s: included.") % {"service": localized(settings.seat)}


def words(settings: Settings) -> str:
    if settings.allowance is None:
        return localized(settings.seat)
    return _("%(service)s, %(often)s") % {
        "service": localized(settings.seat),
        "often": allowances.words(settings.allowance),
    }
