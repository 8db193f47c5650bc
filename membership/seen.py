"""Seen to: a person has looked at something that waited on Today's page, and says why it need not wait any more.

The row keeps when, so that it leaves its queue; who and why stand in the audit, and in the member's story. Nothing is
deleted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.translation import gettext_noop

from membership import audit, timeline
from membership.errors import DomainError

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

    from membership.models import Member


class SeenAlready(DomainError):
    code = "seen_already"
    message = gettext_noop("Somebody has seen to it already.")


@transaction.atomic
def mark(
    rows: QuerySet[Any], *, verb: str, member: Member | None, subject: str, at: datetime, actor: str, **also: Any
) -> None:
    """Of `rows` (one, unless it waits no more) note that `actor` has seen to it. `verb` names the entry of the story;
    `also`: other fields that change with it. Raises SeenAlready."""
    if not rows.filter(seen_at=None).update(seen_at=at, **also):
        raise SeenAlready
    about = f"member:{member.pk}" if member else subject
    audit.write(actor=actor, verb=verb, subject=about, at=at, data={"what": subject})
    if member:
        timeline.write(member=member, kind=verb, at=at, actor=actor, data={"what": subject})
