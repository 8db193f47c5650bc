"""Stories: one member's timeline in words for staff, the newest first, from what every app has written there.

Each app says at start how its kinds of entry read (`register`); mails come from their own rows. Who did it and why is
read beside it: names of colleagues from Staff, the reason from the audit row of the same moment.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from membership import messages
from membership.models import AuditEntry, Member, Membership, Message, Staff, TimelineEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    Teller = Callable[[Sequence[TimelineEntry]], Sequence["Told"]]
    Source = Callable[[Member, datetime | None, int], Sequence["Line"]]

MAILS = "mails"
GROUPS = {
    "membership": _("Membership"),
    "money": _("Money"),
    "perks": _("Perks"),
    MAILS: _("Mails"),
    "account": _("Account and card"),
    "notes": _("Notes"),
}
SHOWN = 40
ACTORS = {"stripe": _("Stripe"), "system": _("by itself")}
MAIL_STATES = {
    "sent": _("Mail, sent"),
    "waits": _("Mail, waits to be sent"),
    "failed": _("Mail, not sent"),
    "bounced": _("Mail, came back"),
}


@dataclass(frozen=True)
class Told:
    """An entry in words; `worth`: amounts and currencies that belong to it."""

    words: str
    worth: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Line:
    at: datetime
    order: int  # among those of one moment, the later the higher
    group: str
    words: str
    worth: list[tuple[int, str]]
    who: str = ""
    reason: str = ""
    note: str = ""


@dataclass(frozen=True)
class Story:
    """`older`: from where the next page goes on; None at the beginning of the story."""

    lines: list[Line]
    older: datetime | None


_tellers: dict[str, tuple[str, Teller]] = {}
_sources: dict[str, list[Source]] = {}
_beside: dict[str, set[str]] = {}  # kinds that a group shows beside its own


def register(*, group: str, kinds: Iterable[str], told: Teller) -> None:
    """Say how entries of these kinds read: `told` takes them all at once and answers in their order."""
    _tellers.update(dict.fromkeys(kinds, (group, told)))


def show_beside(*, group: str, kinds: Iterable[str]) -> None:
    """Let a group show entries of another: without them its own cannot be understood."""
    _beside.setdefault(group, set()).update(kinds)


def add(*, group: str) -> Callable[[Source], Source]:
    """Register facts that stand in rows of their own: a function (member, before, limit) -> the newest lines."""

    def decorate(source: Source) -> Source:
        _sources.setdefault(group, []).append(source)
        return source

    return decorate


def known(kind: str) -> bool:
    return kind in _tellers


def of(member: Member, *, group: str = "", before: datetime | None = None) -> Story:
    """The newest SHOWN lines before a moment, of one group or of all."""
    entries = _entries(member, group, before)
    lines = _with_names(_told(entries), entries, member)
    for source in [one for key, sources in _sources.items() if group in ("", key) for one in sources]:
        lines += source(member, before, SHOWN + 1)
    lines.sort(key=lambda line: (line.at, line.order), reverse=True)
    older = lines[SHOWN - 1].at if len(lines) > SHOWN else None
    return Story([line for line in lines if older is None or line.at >= older], older)


def _entries(member: Member, group: str, before: datetime | None) -> list[TimelineEntry]:
    found = TimelineEntry.objects.filter(member=member)
    if before is not None:
        found = found.filter(at__lt=before)
    if group:
        own = {kind for kind, (of_kind, _teller) in _tellers.items() if of_kind == group}
        found = found.filter(kind__in=sorted(own | _beside.get(group, set())))
    return list(found[: SHOWN + 1])


@add(group=MAILS)
def mails(member: Member, before: datetime | None, limit: int) -> list[Line]:
    """What was written to the member. One-time codes are nobody's business: not even their subject is shown."""
    found = Message.objects.filter(member=member).defer("text", "html")
    if before is not None:
        found = found.filter(written_at__lt=before)
    return [_mail(message) for message in found[:limit]]


def _told(entries: Sequence[TimelineEntry]) -> list[Line]:
    """In the order given. A kind that nobody registered is shown by its name: better an ugly line than none."""
    told: dict[int, tuple[str, Told]] = {}
    for teller in {id(t): (g, t) for g, t in _tellers.values()}.values():
        own = [entry for entry in entries if _tellers.get(entry.kind) == teller]
        if own:
            told |= {entry.pk: (teller[0], one) for entry, one in zip(own, teller[1](own), strict=True)}
    lines = []
    for entry in entries:
        group, one = told.get(entry.pk, ("", Told(entry.kind)))
        lines.append(Line(at=entry.at, order=entry.pk, group=group, words=one.words, worth=one.worth))
    return lines


def _with_names(lines: Sequence[Line], entries: Sequence[TimelineEntry], member: Member) -> list[Line]:
    names, reasons = names_of(entry.actor for entry in entries), _reasons(member, entries)
    return [
        replace(line, who=names.get(entry.actor, ""), reason=reasons.get((entry.at, entry.actor), ""))
        for line, entry in zip(lines, entries, strict=True)
    ]


def names_of(actors: Iterable[str]) -> dict[str, str]:
    """Actors as staff read them. Members are not named: the page is about one."""
    asked = set(actors)
    colleagues = Staff.objects.filter(user__in=[a[6:] for a in asked if a.startswith("staff:") and a[6:].isdigit()])
    names = {f"staff:{user}": name for user, name in colleagues.values_list("user", "name")}
    names |= {actor: str(words) for actor, words in ACTORS.items()}
    return {actor: names.get(actor, _kind_of_actor(actor)) for actor in asked}


def _kind_of_actor(actor: str) -> str:
    words = {"staff": _("Staff"), "member": _("the member"), "shop": _("a shop"), "command": _("Staff")}
    words["declaration"] = _("declared on the public page")
    return str(words.get(actor.partition(":")[0], ""))


def _reasons(member: Member, entries: Sequence[TimelineEntry]) -> dict[tuple[datetime, str], str]:
    """What staff said when they did it: it stands in the audit, at the same moment and by the same person."""
    by_staff = {entry.at for entry in entries if entry.actor.startswith("staff:")}
    if not by_staff:
        return {}
    memberships = Membership.objects.filter(member=member).values_list("pk", flat=True)
    subjects = [f"member:{member.pk}", *(f"membership:{pk}" for pk in memberships)]
    audited = AuditEntry.objects.filter(Q(subject__in=subjects) & Q(at__in=by_staff)).order_by("pk")
    # A transition's own reason is a code, and its words stand in the entry.
    codes = {"", *Membership.EndReason.values}
    told = ((a.at, a.actor, a.data.get("reason", "")) for a in audited)
    return {(at, actor): reason for at, actor, reason in told if reason not in codes}


def _mail(message: Message) -> Line:
    state = (
        "bounced"
        if message.bounced_at
        else "failed"
        if message.parked_reason
        else "sent"
        if message.done_at
        else "waits"
    )
    secret = message.kind in messages.ONE_TIME
    words = gettext("A mail with a one-time code.") if secret else message.subject
    note = str(MAIL_STATES[state])
    return Line(at=message.written_at, order=message.pk, group=MAILS, words=words, worth=[], note=note)


def fill(words: dict[str, Any], told_of: Callable[[TimelineEntry], dict[str, Any]]) -> Teller:
    """A teller that fills each kind's sentence with what `told_of` reads from the entry."""
    return lambda entries: [Told(str(words[entry.kind]) % told_of(entry)) for entry in entries]
