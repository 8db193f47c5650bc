"""The concierge desk's working hours and holidays, set anew: previewed with what it changes for whom."""

from __future__ import annotations

import re
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from membership import clock
from membership.console import steps
from membership.console.access import act, staff_of
from membership.roles import Permission
from membership.templatetags import vip
from perks.concierge import desk_changes, desk_hours, queue, working_time
from perks.concierge.desk_changes import Desk
from perks.kinds import concierge
from perks.models import TierPerk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from django.http import HttpRequest, HttpResponse

    from perks.concierge.working_time import Stretch

JUST_BEFORE = timedelta(microseconds=1)  # what is owed when the desk closes is owed while it is open
STRETCH = re.compile(r"(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})")
HOLIDAY = re.compile(r"(\d{4}-\d{2}-\d{2})\s+(\S.{0,79})")


class DeskForm(forms.Form):
    """A line a weekday, and the holidays from today on, one a line."""

    def __init__(self, *args: Any, desk: Desk, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        for weekday, name in WEEKDAYS.items():
            self.fields[f"day_{weekday}"] = forms.CharField(
                label=name, initial=_as_typed(desk.hours.get(weekday, ())), required=False, max_length=80
            )
        self.fields["day_0"].help_text = _("Such as 09:00–12:00, 13:00–18:00. Empty: closed.")
        self.fields["holidays"] = forms.CharField(
            label=_("Holidays from today on"),
            help_text=_("One a line: the day and its name, such as 2026-12-25 Christmas Day."),
            initial="\n".join(f"{day} {name}" for day, name in sorted(desk.holidays.items())),
            required=False,
            widget=forms.Textarea({"rows": 6}),
        )
        self.fields["reason"] = forms.CharField(
            label=_("Reason"),
            help_text=_("It is kept with the change."),
            max_length=200,
            widget=forms.Textarea({"rows": 2}),
        )

    def clean(self) -> dict[str, Any]:
        told: dict[str, Any] = super().clean() or {}
        hours: dict[int, tuple[Stretch, ...]] = {}
        for weekday in WEEKDAYS:
            try:
                if stretches := _stretches(told.get(f"day_{weekday}", "")):
                    hours[weekday] = stretches
            except ValidationError as wrong:
                self.add_error(f"day_{weekday}", wrong)
        holidays: dict[date, str] = {}
        try:
            holidays = dict(sorted(_holidays(told.get("holidays", ""), self.today)))
        except ValidationError as wrong:
            self.add_error("holidays", wrong)
        return told | {"desk": Desk(hours, holidays)}


def _as_typed(stretches: tuple[Stretch, ...]) -> str:
    return ", ".join(f"{desk_hours.clock(opens)}–{desk_hours.clock(closes)}" for opens, closes in stretches)


def _stretches(text: str) -> tuple[Stretch, ...]:
    """In order. Raises ValidationError."""
    found: list[Stretch] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        match = STRETCH.fullmatch(part)
        if match is None or int(match[2]) > 59 or int(match[4]) > 59:
            raise ValidationError(_("Write it as 09:00–18:00, with commas between several."))
        opens, closes = int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])
        if not opens < closes <= working_time.FULL_DAY:
            raise ValidationError(_("It closes after it opens, on the same day: 24:00 at the latest."))
        found.append((opens, closes))
    found.sort()
    if any(before[1] > after[0] for before, after in pairwise(found)):
        raise ValidationError(_("Two of these overlap."))
    return tuple(found)


def _holidays(text: str, today: date) -> Iterator[tuple[date, str]]:
    """Raises ValidationError."""
    seen: set[date] = set()
    for line in filter(None, (line.strip() for line in text.splitlines())):
        match = HOLIDAY.fullmatch(line)
        try:
            day = date.fromisoformat(match[1]) if match else None
        except ValueError:
            day = None
        if match is None or day is None:
            raise ValidationError(_("“%(line)s” is no day with its name."), params={"line": line})
        if day < today or day in seen:
            raise ValidationError(_("“%(line)s” is over, or stands here twice."), params={"line": line})
        seen.add(day)
        yield day, match[2]


@act(Permission.OFFER)
def hours(request: HttpRequest) -> HttpResponse:
    at, staff, saw = clock.now(), staff_of(request), desk_changes.number()
    now = desk_changes.current(at)
    sent = request.POST if request.method == "POST" else None
    form = DeskForm(sent, desk=now, today=desk_changes.today(at))

    def do(asked: dict[str, Any]) -> None:
        desk_changes.change(to=asked["desk"], saw=saw, at=at, actor=staff.actor)

    step = steps.Step(
        title=_("Hours and holidays of the concierge"),
        about=_(
            "In the house’s time zone. Requests that were told a time keep it; who writes from now on is told anew."
        ),
        button=_("Set them"),
        done=_("Hours and holidays are set."),
        back=reverse("console-concierge"),
        back_words=gettext("Concierge"),
        preview=lambda asked: _preview(now, asked["desk"], at),
        do=do,
    )
    return steps.take(request, step, form, staff=staff)


def _preview(now: Desk, to: Desk, at: datetime) -> list[str]:
    """What changes, what a promise made now would be, and what becomes of those that were made. Raises DomainError."""
    desk_changes.check(now, to)
    lines = []
    if now.hours != to.hours:
        facts = {"was": _words(now), "is": _words(to)}
        lines.append(gettext("The desk is open: %(is)s. Until now: %(was)s.") % facts)
    lines += [
        gettext("Closed on %(day)s: %(name)s.") % {"day": vip.day(day), "name": name}
        for day, name in sorted(to.holidays.items() - now.holidays.items())
    ]
    lines += [
        gettext("Open on %(day)s, no longer a holiday: %(name)s.") % {"day": vip.day(day), "name": now.holidays[day]}
        for day in sorted(now.holidays.keys() - to.holidays.keys())
    ]
    return [*lines, *_new_promises(now, to, at), *_kept_promises(to, at)]


def _words(desk: Desk) -> str:
    return "; ".join(desk_hours.words_of(desk.hours))


def _new_promises(now: Desk, to: Desk, at: datetime) -> Iterator[str]:
    """For each answer time on sale: by when somebody who writes now would be answered."""
    offered = TierPerk.objects.filter(perk__kind=concierge.CODE, perk__published=True).select_related("perk")
    sold = {int(one.sold_settings().get("first_answer_hours", 0)) for one in offered} - {0}
    for count in sorted(sold):
        was, will = (desk.working_time().after(at, timedelta(hours=count)) for desk in (now, to))
        facts = {"hours": count, "was": vip.moment(was), "is": vip.moment(will)}
        if was == will:
            text = gettext("Who writes now and was sold %(hours)s working hours is answered by %(is)s, as before.")
        else:
            text = gettext(
                "Who writes now and was sold %(hours)s working hours is answered by %(is)s; as it was: by %(was)s."
            )
        yield text % facts


def _kept_promises(to: Desk, at: datetime) -> Iterator[str]:
    """Requests that were told a time keep it, also where the desk is closed by then."""
    due = list(queue.waiting().values_list("due_at", flat=True))
    if not due:
        return
    kept = ngettext(
        "%(count)s request was told a time, and keeps it.",
        "%(count)s requests were told a time, and keep it.",
        len(due),
    )
    yield kept % {"count": len(due)}
    week = to.working_time()
    ahead = [one for one in due if one is not None and one > at]
    if closed := sum(not week.is_open(one - JUST_BEFORE) for one in ahead):
        text = ngettext(
            "%(count)s of them is owed at a moment at which the desk would be closed: answer it before.",
            "%(count)s of them are owed at a moment at which the desk would be closed: answer them before.",
            closed,
        )
        yield text % {"count": closed}
