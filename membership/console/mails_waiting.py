"""Mails that wait for a person: those that came back, and those that were not sent in their time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from membership import messages, work
from membership.console import queues, waiting
from membership.console.queues import Queue, Row
from membership.models import Message
from membership.signals import mail_came_back
from membership.templatetags import vip

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from django.db.models import QuerySet

    from membership.models import Member, Staff, Work

TOO_LONG = timedelta(hours=1)  # what was not done so long after its time waits for a person

queues.register(
    Queue(
        code="bounced",
        label=_("Mail came back"),
        about=_("Mails that the member's mail server does not take. Ask them for another address, or call."),
        empty=_("Every mail that was sent has found its way, as far as mail servers say."),
        order=20,
    )
)
queues.register(
    Queue(
        code="stuck",
        label=_("Work stuck"),
        about=_(
            "What failed for good, or has not been done an hour after its time. Try it again, or call who runs this."
        ),
        empty=_("All work is done in its time."),
        order=80,
    )
)


def bounced(at: datetime) -> QuerySet[Message]:
    """By the index `mails_that_bounced`."""
    rows = Message.objects.filter(bounced_at__isnull=False, member__isnull=False, seen_at=None)
    return rows.select_related("member__user").defer("text", "html").order_by("bounced_at", "pk")


def not_sent(at: datetime) -> QuerySet[Message]:
    """By the index `mails_that_are_stuck`."""
    rows = Message.objects.filter(done_at=None, bounced_at=None, seen_at=None, written_at__lte=at - TOO_LONG)
    return rows.select_related("member__user").defer("text", "html").order_by("written_at", "pk")


@queues.source("bounced", bounced)
def came_back(rows: Sequence[Message], at: datetime) -> list[Row]:
    return [
        Row(
            member=row.member,
            what=subject(row),
            note=f"{row.to}: {why_back(row)}",
            since=row.bounced_at or row.written_at,
            url=waiting.link("bounced", row.pk),
            act=gettext("See to it"),
        )
        for row in rows
    ]


@queues.source("stuck", not_sent)
def waits_to_be_sent(rows: Sequence[Message], at: datetime) -> list[Row]:
    return [
        waiting.row(
            "mail",
            row.pk,
            member=row.member,
            who=row.to,
            what=gettext("Mail: %(subject)s") % {"subject": subject(row)},
            note=why_stuck(row),
            since=row.written_at,
        )
        for row in rows
    ]


def subject(row: Message) -> str:
    return gettext("A mail with a one-time code.") if row.kind in messages.ONE_TIME else row.subject


SAID = {  # RFC 3463, what mail servers say most
    "5.1.1": _("there is no such mailbox"),
    "5.1.2": _("there is no such domain"),
    "5.2.1": _("the mailbox is closed"),
    "5.2.2": _("the mailbox is full"),
    "5.7.1": _("the mail server does not let us in"),
}


def why_back(row: Message) -> str:
    """What the mail server said, in words where they are known."""
    known = SAID.get(row.bounce_said.rpartition(" ")[2])
    return f"{known} ({row.bounce_said})" if known else row.bounce_said or gettext("it could not be delivered")


def why_stuck(row: Work) -> str:
    """Why a row of work is not done, as far as it is known."""
    told = " ".join(part for part in (row.parked_reason, row.last_error) if part)
    return told or gettext("Nobody has tried it: a worker may be down.")


# What upper apps know of a mail that came back: each answers in words, or "" (billing: what its charge waits for).
consequences: list[Callable[[Message], str]] = []


def _facts(row: Message) -> list[str]:
    facts = {"subject": subject(row), "when": vip.moment(row.written_at), "address": row.to}
    told = [gettext("“%(subject)s”, written on %(when)s to %(address)s.") % facts]
    if row.bounced_at:
        told.append(gettext("It came back: %(why)s.") % {"why": why_back(row)})
        told += filter(None, (consequence(row) for consequence in consequences))
    else:
        told.append(why_stuck(row))
    if row.member and row.member.user.email != row.to:
        told.append(gettext("The account's address is %(address)s now.") % {"address": row.member.user.email})
    return told


def _once_more(row: Message) -> str:
    if row.member is None or row.kind in messages.ONE_TIME or not row.text:
        return ""
    return gettext("It is sent once more, to %(address)s.") % {"address": row.member.user.email}


def _send_again(row: Message, staff: Staff, once: str, at: datetime) -> str:
    with transaction.atomic():
        waiting.mark(BOUNCED, row, staff, at)  # of two colleagues one sends it
        messages.send_again(message=row, once=once, at=at, actor=staff.actor)
    return gettext("It is on its way.")


def _try_again(row: Message, staff: Staff, once: str, at: datetime) -> str:
    return outcome(work.try_again(Message.objects.all(), row.pk, messages.send, at=at))


def outcome(came: tuple[bool, str]) -> str:
    """What came of trying again, for who did it."""
    done, why = came
    return gettext("It is done now.") if done else gettext("It failed once more: %(why)s") % {"why": why}


def _member(row: Message) -> Member | None:
    return row.member


def _all(at: datetime) -> QuerySet[Message]:
    return Message.objects.select_related("member__user")


BOUNCED = waiting.register(
    waiting.Kind(
        code="bounced",
        queue="bounced",
        verb="mail_seen_to",
        rows=lambda at: _all(at).filter(bounced_at__isnull=False, member__isnull=False),
        told=_facts,
        member=_member,
        again=_once_more,
        retry=_send_again,
        after=lambda row, at: mail_came_back.send(Message, message=row, at=at),
    )
)
waiting.register(
    waiting.Kind(
        code="mail",
        queue="stuck",
        verb="mail_seen_to",
        rows=lambda at: _all(at).filter(done_at=None, bounced_at=None),
        told=_facts,
        member=_member,
        again=lambda row: gettext("It is handed to the mail server now."),
        retry=_try_again,
    )
)
