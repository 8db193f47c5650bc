"""How perks' entries of the timeline read for staff: as the member reads them, where nobody is spoken to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from membership import stories
from membership.stories import Told
from perks import history

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


stories.register(group="perks", kinds=WORDS, told=told)
