"""Things that wait on Today's page and need no page of their own: read what is known, try it again or say that it is
seen to, with a reason. An app registers each kind of row at start, beside the source of its queue."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.db import transaction
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from membership import audit, clock, numbers, seen
from membership.console import queues, steps
from membership.console.access import act, staff_of
from membership.roles import Permission

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.utils.functional import _StrPromise as Words

    from membership.models import Member, Staff

AGAIN, SEEN = "again", "seen"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How rows of one model are seen to. `rows(at)` are those that wait; `told` what is known of one, line by line.

    `again` says in words what trying again would do, empty where there is nothing to try; `retry(row, staff, once, at)`
    does it, and answers in words. `verb` names what is kept of it, in the audit and in the story.
    """

    code: str
    queue: str
    verb: str
    rows: Callable[[datetime], QuerySet[Any]]
    told: Callable[[Any], list[str]]
    member: Callable[[Any], Member | None]
    again: Callable[[Any], str] = lambda row: ""
    retry: Callable[[Any, Staff, str, datetime], str] | None = None
    also: dict[str, Any] | None = None  # fields that change with `seen_at`
    after: Callable[[Any, datetime], object] = lambda row, at: None  # in the same transaction


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> Kind:
    assert kind.code not in _kinds, kind.code
    _kinds[kind.code] = kind
    return kind


def row(code: str, pk: int, **said: Any) -> queues.Row:
    """How a queue tells one of this kind: beside what is `said`, its page and what to do there."""
    return queues.Row(url=link(code, pk), act=gettext("See to it"), **said)


def link(code: str, pk: int) -> str:
    return reverse("console-waits", args=[code, pk])


class SeeToForm(forms.Form):
    """What to do about it, and why."""

    what = forms.ChoiceField(label=_("What to do"), widget=forms.RadioSelect)
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("Kept in the audit, and shown to colleagues."),
        max_length=200,
        widget=forms.Textarea({"rows": 2}),
    )
    once = forms.CharField(max_length=32, widget=forms.HiddenInput)

    def __init__(self, *args: Any, again: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices: list[tuple[str, str | Words]] = [(AGAIN, again)] if again else []
        what: Any = self.fields["what"]
        what.choices = [*choices, (SEEN, _("Nothing more: it is seen to"))]
        self.initial.update(what=what.choices[0][0], once=secrets.token_hex(8))


@act(Permission.CARE)
def see_to(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """Both looks at one row that waits. Raises Http404 for what never was."""
    about, staff, at = _kinds.get(kind), staff_of(request), clock.now()
    row = about.rows(at).filter(pk=pk).first() if about else None
    if about is None or row is None:
        raise Http404
    again = about.again(row) if about.retry else ""

    def preview(said: dict[str, Any]) -> list[str]:
        if row.seen_at is not None:
            raise seen.SeenAlready
        if said["what"] == AGAIN:
            return [again]
        return [gettext("It leaves the queue. Nothing else happens, and nobody is written to.")]

    def do(said: dict[str, Any]) -> str | None:
        if said["what"] == AGAIN and about.retry is not None:
            audit.write(actor=staff.actor, verb="try_again", subject=f"{about.code}:{row.pk}", at=at)
            return about.retry(row, staff, said["once"], at)
        mark(about, row, staff, at)
        return None

    form = SeeToForm(request.POST or None, again=again)
    return steps.take(request, _step(about, row, preview=preview, do=do), form, staff=staff)


def mark(kind: Kind, row: Any, staff: Staff, at: datetime) -> None:
    """It waits no more. Raises seen.SeenAlready."""
    rows = type(row)._default_manager.filter(pk=row.pk)
    with transaction.atomic():
        seen.mark(
            rows,
            verb=kind.verb,
            member=kind.member(row),
            subject=f"{kind.code}:{row.pk}",
            at=at,
            actor=staff.actor,
            **(kind.also or {}),
        )
        kind.after(row, at)


def _step(kind: Kind, row: Any, **verbs: Any) -> steps.Step:
    queue, member = queues.known(kind.queue), kind.member(row)
    back = reverse("console-queue", args=[queue.code])
    look = (
        (f"{member.name}, {numbers.group(member.number)}", reverse("console-member", args=[member.number]))
        if member
        else None
    )
    return steps.Step(
        title=queue.label,
        about=_("Say what you did, or why nothing is to be done."),
        button=_("Confirm"),
        done=_("It is seen to."),
        back=back,
        back_words=str(queue.label),
        facts=kind.told(row),
        other=look,
        **verbs,
    )
