"""What perks tell a person of themselves: what they hold, used and asked, and what shops asked about them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from membership.own_data import files, leave_out, part
from perks.models import (
    ConciergeEntry,
    ConciergeFile,
    ConciergeRequest,
    Decision,
    EmailConfirmation,
    Entitlement,
    FirstAccess,
    Grant,
    Redemption,
    Ref,
    WaitingPlace,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet

    from membership.models import User

READ_BY_MEMBERS = [ConciergeEntry.Kind.QUESTION, ConciergeEntry.Kind.ANSWER]


def _letters(user: User) -> QuerySet[ConciergeEntry]:
    """What they and we wrote to each other; not what colleagues noted."""
    return ConciergeEntry.objects.filter(request__member__user=user, kind__in=READ_BY_MEMBERS)


def _as_json(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"question": json.loads(row["question"]), "answer": json.loads(row["answer"])}


part(
    "perks_held",
    Grant,
    lambda user: Grant.objects.filter(membership__member__user=user),
    *("membership", "perk__code", "source", "tier", "settings", "starts_at", "ends_at"),
)
part(
    "perks_used",
    Redemption,
    lambda user: Redemption.objects.filter(member__user=user),
    *(
        "ident",
        "grant__perk__code",
        "shop__name",
        "order_ref",
        "status",
        "effect",
        "worth",
        "returned_worth",
        "currency",
    ),
    *("lines", "returned", "event", "place", "held_at", "committed_at", "closed_at"),
)
part(
    "perk_checks",
    Decision,
    lambda user: Decision.objects.filter(member__user=user),
    *("id", "shop__name", "decided_at", "as_of", "question", "answer"),
    told=_as_json,
)
part("known_to_shops_as", Ref, lambda user: Ref.objects.filter(member__user=user), "shop__name", "customer_ref")
part(
    "codes_for_shops",
    EmailConfirmation,
    lambda user: EmailConfirmation.objects.filter(member__user=user),
    *("shop__name", "email", "expires_wall", "confirmed_wall"),
)
part(
    "waiting_lists",
    WaitingPlace,
    lambda user: WaitingPlace.objects.filter(member__user=user),
    *("event__code", "status", "asked_at", "settled_at"),
)
part(
    "told_of_sales",
    FirstAccess,
    lambda user: FirstAccess.objects.filter(member__user=user),
    *("sale__code", "due_at", "done_at"),
)
part(
    "concierge_requests",
    ConciergeRequest,
    lambda user: ConciergeRequest.objects.filter(member__user=user),
    *("ident", "subject", "opened_at", "due_at", "first_answered_at", "closed_at"),
)
part("concierge_letters", ConciergeEntry, _letters, "request__ident", "kind", "at", "text", "by_mail")
part(
    "concierge_files",
    ConciergeFile,
    lambda user: ConciergeFile.objects.filter(entry__in=_letters(user)),
    *("id", "entry__request__ident", "name", "media_type", "size"),
)
leave_out("the same as perks held, in the form in which a till reads it", Entitlement)


@files
def attached(user: User) -> Iterator[tuple[str, bytes]]:
    """What was attached to the concierge's letters, under the id that concierge_files tells."""
    found = ConciergeFile.objects.filter(entry__in=_letters(user)).order_by("pk")
    for pk, name in found.values_list("pk", "name"):
        content = ConciergeFile.objects.values_list("content", flat=True).get(pk=pk)
        yield f"{pk}-{name}", bytes(content)
