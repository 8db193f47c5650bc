"""A renewal that nobody could be told of: a letter about it came back, and no one has seen to that yet.

The law's letters before a charge cannot be opted out of, so one that reached nobody holds the charge: aligning.py keeps
Stripe from collecting, as under a stop, while perks go on. It is collected again once staff have sent the letter to
another address or told the member otherwise (Today, "Mail came back"), or the member has confirmed another address. If
none of that happens before grace is over, the membership ends unpaid (grace.py). Nothing is stored but the letters.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef, Q

from membership import messages, seen
from membership.models import Membership, Message

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

    from membership.models import Member

LETTER = "renewal_notice"
_BACK = Q(kind=LETTER, bounced_at__isnull=False)


def letters(membership: Membership) -> list[Message]:
    """Those about the renewal that comes next which came back, seen to or not, the first first. Loaded with facts.

    One query, and none where no renewal is expected.
    """
    term = max(membership.terms.all(), key=lambda t: t.starts_at, default=None)
    if term is None or not membership.renewal_expected:
        return []
    back = Message.objects.filter(_BACK, member=membership.member_id, written_at__gte=term.recorded_at)
    return list(back.defer("text", "html").order_by("bounced_at", "pk"))


def letter(membership: Membership) -> Message | None:
    """The one for which its renewal is held now; None: nothing holds it."""
    return next((one for one in letters(membership) if one.seen_at is None), None)


def held() -> Exists:
    """For a query of subscriptions: whether a letter about a renewal came back to their member, and waits."""
    waiting = Message.objects.filter(_BACK, member=OuterRef("membership__member"), seen_at=None)
    return Exists(waiting)


def is_about_a_renewal(message: Message) -> bool:
    return message.kind == LETTER and message.member_id is not None


def memberships(member: Member) -> QuerySet[Membership]:
    """Those of this member that could renew, with their facts."""
    return Membership.objects.with_facts().filter(member=member, renewal_expected=True, ended_at=None)


def tell_again(*, member: Member, at: datetime) -> int:
    """The member has confirmed an address: what came back goes there. -> how many letters, in the same transaction."""
    actor = f"member:{member.pk}"
    back = [one for own in memberships(member) for one in letters(own) if one.seen_at is None]
    for one in back:
        rows = Message.objects.filter(pk=one.pk)
        with contextlib.suppress(seen.SeenAlready):  # by a colleague, in this very moment
            seen.mark(rows, verb="mail_seen_to", member=member, subject=f"bounced:{one.pk}", at=at, actor=actor)
    for one in back[-1:]:  # the latest says all that the others said
        whole = Message.objects.select_related("member__user").get(pk=one.pk)
        messages.send_again(message=whole, once="address", at=at, actor=actor)
    return len(back)
