"""Always true of who did what, and of who may: manage.py check_invariants asks."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db.models import CharField, Exists, F, Model, OuterRef, Value
from django.db.models.functions import Cast, Concat

from membership import clock, seals
from membership.console.access import FACTORS
from membership.invariants import invariant
from membership.models import AuditEntry, Card, Staff, Transition

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet

TO_SET_IT_UP = timedelta(days=7)

invariant("I17", "the audit is as it was sealed: no row changed, taken away or put in between")(seals.breaches)


@invariant("I17", "every transition, card and role has its entry in the audit, of the same moment")
def what_was_done_is_in_the_audit() -> Iterable[str]:
    for transition in unaudited(Transition.objects.all(), F("verb"), "membership", "membership_id", "at"):
        yield f"transition {transition.pk} of membership {transition.membership_id} has no audit row"
    for card in unaudited(Card.objects.all(), Value("issue_card"), "member", "member_id", "issued_at"):
        yield f"card {card.pk} was issued without an audit row"
    for held in unaudited(Staff.objects.all(), Value("grant_role"), "user", "user_id", "granted_at"):
        yield f"staff {held.pk} got the role without an audit row"


def unaudited[Row: Model](rows: QuerySet[Row], verb: F | Value, kind: str, subject: str, moment: str) -> Iterable[Row]:
    """Rows whose own moment (the field `moment`) has no entry with this verb about `kind`:`subject`."""
    about = Concat(Value(f"{kind}:"), Cast(OuterRef("audited_subject"), CharField()), output_field=CharField())
    entries = AuditEntry.objects.filter(subject=about, verb=OuterRef("audited_verb"), at=OuterRef(moment))
    told = rows.annotate(audited_subject=F(subject), audited_verb=verb)
    return told.filter(~Exists(entries)).order_by("pk").iterator()


@invariant("I19", "nobody of the staff is without a second factor for more than a week, where one is required")
def staff_have_a_second_factor() -> Iterable[str]:
    """Without one they cannot open the console (console/access.py); a role that nobody took up is a door left ajar."""
    if not settings.CONSOLE_SECOND_FACTOR:
        return
    has_one = Authenticator.objects.filter(user=OuterRef("user"), type__in=FACTORS)
    held = Staff.objects.filter(revoked_at=None, granted_at__lt=clock.now() - TO_SET_IT_UP)
    for one in held.filter(~Exists(has_one)).order_by("pk"):
        yield f"staff {one.pk} ({one.role}) has no second factor since {one.granted_at:%Y-%m-%d}"
