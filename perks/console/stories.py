"""How perks' entries of the timeline read for staff: as the member reads them, where nobody is spoken to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from membership import stories
from membership.stories import Told
from perks import history
from perks.models import ConciergeRequest

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
stories.register(group="perks", kinds=CONCIERGE, told=told_of_requests)
