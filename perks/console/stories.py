"""How perks' entries of the timeline read for staff: as the member reads them, where nobody is spoken to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from membership import stories
from membership.stories import Told
from perks import history
from perks.kinds.base import localized
from perks.models import ConciergeRequest, Event, Perk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from membership.models import TimelineEntry

WORDS = history.WORDS | {
    "give_perk": _("Given as goodwill, until %(last_day)s: %(perks)s."),
    "take_perk_back": _("Goodwill ended early: %(perks)s."),
    "perk_improved": _("Improved for everybody: %(perks)s."),
}


def told(entries: Sequence[TimelineEntry]) -> list[Told]:
    return [Told(line.words, line.worth) for line in history.told(entries, words=WORDS)]


CONCIERGE = {
    "concierge.asked": _("Asked the concierge: “%(subject)s”."),
    "concierge.answered": _("The concierge answered “%(subject)s”."),
    "concierge.closed": _("The request “%(subject)s” was closed."),
    "concierge.reopened": _("The request “%(subject)s” was reopened."),
}


def told_of_requests(entries: Sequence[TimelineEntry]) -> list[Told]:
    """With what was asked, read from the request itself: the timeline keeps ids only."""
    asked = {entry.data["request"] for entry in entries}
    subjects = dict(ConciergeRequest.objects.filter(pk__in=asked).values_list("pk", "subject"))
    return [_told_of_request(entry, subjects) for entry in entries]


def _told_of_request(entry: TimelineEntry, subjects: dict[int, str]) -> Told:
    words = str(CONCIERGE[entry.kind]) % {"subject": subjects.get(entry.data["request"], "–")}
    return Told(words, [(amount, currency) for currency, amount in entry.data.get("worth", {}).items() if amount])


stories.register(group="perks", kinds=WORDS, told=told)
BOOKINGS = {
    "seat.booked": _("A seat was booked: %(what)s."),
    "seat.given_back": _("A seat was given back: %(what)s."),
    "seat.waiting": _("Joined the waiting list: %(what)s."),
    "seat.left": _("Left the waiting list: %(what)s."),
    "seat.passed": _("Their turn on the waiting list passed, for they no longer held the perk: %(what)s."),
    "service.booked": _("A service was booked: %(what)s."),
    "service.given_back": _("A service was given back: %(what)s."),
}


def told_of_bookings(entries: Sequence[TimelineEntry]) -> list[Told]:
    """By the names that events and perks have today."""
    names = {code: localized(names) for code, names in Event.objects.values_list("code", "names")}
    names |= {code: localized(names) for code, names in Perk.objects.values_list("code", "names")}
    codes = [entry.data.get("event") or entry.data["perk"] for entry in entries]
    pairs = zip(entries, codes, strict=True)
    return [Told(str(BOOKINGS[entry.kind]) % {"what": names.get(code, code)}) for entry, code in pairs]


stories.register(group="perks", kinds=BOOKINGS, told=told_of_bookings)
stories.register(group="perks", kinds=CONCIERGE, told=told_of_requests)
