"""What of perks waits for a person and needs no page of its own: who was to be told of a sale, and was not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext

from membership.console import queues, waiting
from membership.console.mails_waiting import TOO_LONG, outcome, why_stuck
from membership.templatetags import vip
from perks import first_access
from perks.kinds.base import localized

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from django.db.models import QuerySet

    from membership.console.queues import Row
    from membership.models import Staff
    from perks.models import FirstAccess


def untold(at: datetime) -> QuerySet[FirstAccess]:
    """By the index `first_accesses_that_are_stuck`."""
    late = first_access.rows().filter(done_at=None, seen_at=None, due_at__lte=at - TOO_LONG)
    return late.order_by("due_at", "pk")


@queues.source("stuck", untold)
def letters_that_wait(rows: Sequence[FirstAccess], at: datetime) -> list[Row]:
    return [
        waiting.row("first-access", row.pk, member=row.member, what=_words(row), note=why_stuck(row), since=row.due_at)
        for row in rows
    ]


def _words(row: FirstAccess) -> str:
    return gettext("To be told that a sale opens early for them: %(sale)s") % {"sale": localized(row.sale.names)}


def _told(row: FirstAccess) -> list[str]:
    facts = {"when": vip.moment(row.due_at), "why": why_stuck(row)}
    opens = gettext("It opens to everybody on %(when)s.") % {"when": vip.moment(row.sale.opens_at)}
    return [_words(row), opens, gettext("It waits since %(when)s: %(why)s") % facts]


def _again(row: FirstAccess, staff: Staff, once: str, at: datetime) -> str:
    return outcome(first_access.try_again(row.pk, at=at))


waiting.register(
    waiting.Kind(
        code="first-access",
        queue="stuck",
        verb="mail_seen_to",
        rows=lambda at: first_access.rows().filter(done_at=None),
        told=_told,
        member=lambda row: row.member,
        again=lambda row: gettext("It is written now, if the sale still opens earlier for them."),
        retry=_again,
    )
)
