"""What a member does: ask the concierge, write again, read. By the portal or by mail; every door calls these."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext_noop

from membership import clock, limits, timeline
from membership.errors import DomainError
from perks import house_uses, slots
from perks.concierge import desk_hours, files, letters
from perks.kinds import concierge
from perks.models import ConciergeEntry, ConciergeRequest

if TYPE_CHECKING:
    from membership.models import Member
    from perks.concierge.files import Checked

WANTED = house_uses.Wanted(kind=concierge.CODE)
REOPENS_FOR = timedelta(days=30)
MOST_AN_HOUR = 30  # messages of one member: a person writes no more
LONGEST = 5_000
Kind = ConciergeEntry.Kind


class ClosedTooLong(DomainError):
    """An answer long after the end is a new question, and counts as one."""

    code = "closed_too_long"
    message = gettext_noop("This request was closed too long ago to go on with it. Please ask anew.")


def ask(
    *, member: Member, subject: str, text: str, at: datetime, once: str = "", file: Checked | None = None
) -> ConciergeRequest:
    """A new request, which takes one of the member's allowance. Asked again with the same `once`: the one it made.

    Raises house_uses.NotAllowed, holding.UsedUp, limits.TooMany.
    """
    _not_too_often(member)
    with transaction.atomic():
        # Taken first: it waits for the member's other doors, so that a second click finds what the first has made.
        use = house_uses.hold(member=member, wanted=WANTED, at=at, once=once)
        if use is None:
            return ConciergeRequest.objects.get(use=house_uses.taken_before(member, once))
        settings = slots.settings_of(use.grant)
        assert isinstance(settings, concierge.Settings)
        request = ConciergeRequest.objects.create(
            ident=f"req_{secrets.token_urlsafe(16)}",
            member=member,
            use=use,
            subject=subject,
            opened_at=at,
            answer_hours=settings.first_answer_hours,
            due_at=desk_hours.due(since=at, hours=settings.first_answer_hours),
            reply_token=secrets.token_hex(13),
        )
        _enter(request, Kind.QUESTION, text, at, file)
        _tell(request, "concierge.asked", at)
        letters.received(request, at=at)
    return request


def write(
    *,
    request: ConciergeRequest,
    text: str,
    at: datetime,
    file: Checked | None = None,
    by_mail: bool = False,
    once: str = "",
) -> None:
    """The member writes again; sent twice (`once`), it is written once. A request that was closed lately is open again,
    and counts no second time; it is answered to its end whatever has become of the membership. Raises ClosedTooLong,
    limits.TooMany."""
    _not_too_often(request.member)
    with transaction.atomic():
        now = locked(request)
        if once and now.entries.filter(once=once).exists():
            return
        if now.closed_at is not None:
            if at - now.closed_at > REOPENS_FOR:
                raise ClosedTooLong
            now.closed_at = None
            ConciergeEntry.objects.create(request=now, kind=Kind.REOPENED, at=at, by_mail=by_mail)
            _tell(now, "concierge.reopened", at)
        if now.due_at is None:
            now.due_at = desk_hours.due(since=at, hours=now.answer_hours)
        now.save(update_fields=["closed_at", "due_at"])
        _enter(now, Kind.QUESTION, text, at, file, by_mail=by_mail, once=once)


def goes_on(request: ConciergeRequest, at: datetime) -> bool:
    """Whether the member may write in it."""
    return request.closed_at is None or at - request.closed_at <= REOPENS_FOR


def locked(request: ConciergeRequest) -> ConciergeRequest:
    """The request as it is under its lock."""
    return ConciergeRequest.objects.select_for_update().get(pk=request.pk)


def _not_too_often(member: Member) -> None:
    limits.hit(f"concierge:{member.pk}", limit=MOST_AN_HOUR, per=timedelta(hours=1), at=clock.wall())


def _enter(
    request: ConciergeRequest, kind: Kind, text: str, at: datetime, file: Checked | None, **more: bool | str
) -> None:
    entry = ConciergeEntry.objects.create(request=request, kind=kind, text=text, at=at, **more)
    files.keep(file, entry=entry)


def _tell(request: ConciergeRequest, kind: str, at: datetime) -> None:
    actor, said = f"member:{request.member_id}", {"request": request.pk}
    timeline.write(member=request.member, kind=kind, at=at, actor=actor, data=said)
