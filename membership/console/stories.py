"""How the ground floor's own entries of the timeline read for staff."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from membership import stories
from membership.models import Note
from membership.stories import Told
from membership.templatetags.vip import day

if TYPE_CHECKING:
    from collections.abc import Sequence

    from membership.models import TimelineEntry

ACCOUNT = {
    "signed_up": _("Signed up."),
    "renamed": _("Changed the name."),
    "chose": _("Changed what is written to them."),
    "told_birthday": _("Told the birthday."),
    "email_confirmed": _("Confirmed the e-mail address."),
    "card_issued": _("A card was issued."),
    "card_revoked": _("The card was revoked (%(reason)s)."),
    "mail_resent": _("A mail was sent once more."),
    "mail_seen_to": _("Looked at a mail that came back or was not sent."),
    "household.seat_opened": _("A seat in a household was opened."),
    "household.seat_closed": _("A seat in a household was closed."),
}
MEMBERSHIP = {
    "membership.reserve": _("Began to join: %(plan)s."),
    "membership.add_term": _("A term was added (%(source)s): %(starts_at)s to %(ends_at)s, %(plan)s."),
    "membership.change_tier": _("Changed the plan from %(from)s to %(to)s."),
    "membership.plan_renewal": _("The renewal will buy %(plan)s."),
    "membership.pause": _("Paused until %(until)s."),
    "membership.end_pause": _("The pause was ended."),
    "membership.suspend": _("Put on hold (%(source)s)."),
    "membership.lift": _("The hold was lifted (%(source)s)."),
    "membership.cancel": _("Canceled: no further renewal."),
    "membership.undo_cancel": _("Took the cancellation back."),
    "membership.end": _("Ended (%(reason)s)."),
}
CODES = {  # facts that are stored as codes, for readers
    "lost": _("lost"),
    "stolen": _("stolen"),
    "worn": _("worn"),
    "abused": _("abused"),
    "paid": _("paid"),
    "trial": _("trial"),
    "gift": _("gift"),
    "complimentary": _("free of charge"),
    "offline": _("paid offline"),
    "staff": _("by staff"),
    "dispute": _("a dispute at the bank"),
    "fraud": _("suspected fraud"),
    "expired": _("never paid"),
    "lapsed": _("ran out"),
    "refunded": _("refunded"),
    "dispute_lost": _("dispute lost"),
}
DAYS = ("starts_at", "ends_at", "until")
MAY_NAME = ("plan", "from", "to", "source", "reason", *DAYS)


def told_of(entry: TimelineEntry) -> dict[str, Any]:
    """The facts of an entry, as its sentence wants them."""
    facts: dict[str, Any] = dict.fromkeys(MAY_NAME, "") | entry.data
    for name in DAYS:
        facts[name] = day(datetime.fromisoformat(facts[name])) if facts[name] else ""
    for name in ("source", "reason"):
        facts[name] = CODES.get(facts[name], facts[name])
    return facts


stories.register(group="account", kinds=ACCOUNT, told=stories.fill(ACCOUNT, told_of))
stories.register(group="membership", kinds=MEMBERSHIP, told=stories.fill(MEMBERSHIP, told_of))


def told_of_notes(entries: Sequence[TimelineEntry]) -> list[Told]:
    """The note itself, read from its row: the timeline keeps its key only."""
    notes = Note.objects.in_bulk([entry.data["note"] for entry in entries])
    return [Told(notes[key].text if (key := entry.data["note"]) in notes else "–") for entry in entries]


stories.register(group="notes", kinds={"note.written": _("A note.")}, told=told_of_notes)
