"""What the ground floor tells a person of themselves: account, member, memberships, cards, mails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db.models import Q

from membership.messages import ONE_TIME
from membership.models import (
    AuditEntry,
    Card,
    Consent,
    HouseholdSeat,
    Member,
    Membership,
    Message,
    Note,
    Pause,
    SearchKey,
    Staff,
    Stop,
    Term,
    TierChange,
    TimelineEntry,
    Transition,
    User,
)
from membership.own_data import leave_out, part
from membership.views.mails import sent_to

if TYPE_CHECKING:
    from django.db.models import QuerySet


def _mails(user: User) -> QuerySet[Message]:
    return sent_to(Member.objects.filter(user=user).first())


def _mail(row: dict[str, Any]) -> dict[str, Any]:
    """A code is never told again: who gets hold of this file could use it."""
    return row | {"text": "", "subject": ""} if row["kind"] in ONE_TIME else row


part(
    "account",
    User,
    lambda user: User.objects.filter(pk=user.pk),
    *("email", "language", "time_zone", "created_at", "last_login"),
)
part("addresses", EmailAddress, lambda user: EmailAddress.objects.filter(user=user), "email", "verified", "primary")
part(
    "sessions",
    UserSession,
    lambda user: UserSession.objects.filter(user=user),
    *("created_at", "last_seen_at", "ip", "user_agent"),
)
part(
    "second_steps",
    Authenticator,
    lambda user: Authenticator.objects.filter(user=user),
    *("type", "created_at", "last_used_at"),
)
part(
    "member",
    Member,
    lambda user: Member.objects.filter(user=user),
    *("number", "name", "birthday", "member_since", "found_by_email", "sale_letters", "created_at"),
)
part(
    "consents",
    Consent,
    lambda user: Consent.objects.filter(member__user=user),
    *("kind", "version", "language", "text", "given_at"),
)
part(
    "memberships",
    Membership,
    lambda user: Membership.objects.filter(member__user=user),
    *("id", "plan__code", "plan__tier__code", "status", "currency", "time_zone", "renewal_expected"),
    *("reserved_at", "entitled_until", "canceled_at", "cut_at", "ended_at", "end_reason"),
)
part(
    "terms",
    Term,
    lambda user: Term.objects.filter(membership__member__user=user),
    *("membership", "plan__code", "source", "starts_at", "ends_at", "recorded_at"),
)
part(
    "changes_of_plan",
    TierChange,
    lambda user: TierChange.objects.filter(term__membership__member__user=user),
    *("term__membership", "from_plan__code", "to_plan__code", "changed_at"),
)
part(
    "stops",
    Stop,
    lambda user: Stop.objects.filter(membership__member__user=user),
    *("membership", "source", "opened_at", "lifted_at"),
)
part(
    "pauses",
    Pause,
    lambda user: Pause.objects.filter(membership__member__user=user),
    *("membership", "starts_at", "ends_at"),
)
part(
    "steps",
    Transition,
    lambda user: Transition.objects.filter(membership__member__user=user),
    *("membership", "verb", "from_status", "to_status", "at"),
)
part(
    "household_seats",
    HouseholdSeat,
    lambda user: HouseholdSeat.objects.filter(Q(membership__member__user=user) | Q(holder__user=user)),
    *("membership", "opened_at", "closed_at"),
)
part("cards", Card, lambda user: Card.objects.filter(member__user=user), "id", "issued_at", "revoked_at")
part(
    "mails",
    Message,
    _mails,
    *("kind", "to", "subject", "text", "language", "written_at", "done_at"),
    told=_mail,
)
leave_out("a link to confirm an address: a secret, and gone within days", EmailConfirmation)
leave_out("the same once more, in the form in which it is searched", SearchKey)
leave_out("the same once more, as a story with keys of rows", TimelineEntry)
leave_out("who of the staff did what, by keys; it names nobody", AuditEntry)
leave_out("what colleagues noted for each other: who asks for it is answered by a person (docs/production.md)", Note)
leave_out("an employee's role", Staff)
