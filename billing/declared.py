"""What a declaration does, once it has arrived: found out whose it is, carried out by the house's own doors, told.

Called by declarations.py for one claimed row; safe to repeat. What a person must look at is parked with its reason.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q

from billing import declaration_letters, gateway, leaving, outlook, refund_policy, refund_quotes, refunds
from billing.models import Declaration, Refund
from billing.outlook import Kind
from membership import calendar, numbers, standing, terms, timeline
from membership.models import Member, Membership, Status, Term, TimelineEntry
from membership.standing import Standing
from membership.work import Park

if TYPE_CHECKING:
    from datetime import datetime

    from billing.refund_policy import Quote

Outcome = Declaration.Outcome

UNKNOWN = "no account has this address"
UNPROVEN = "the number is missing or another's: asked at the account's address"
FOR_CAUSE = "for cause: canceled for its term's end; read the reason and decide about an earlier end"
ENDS_LATER = "to end later than its next term would: cancel it in time"
RENEWED = "canceled, but a renewal was paid after this had arrived: give it back"
TOO_LATE = "withdrawn after the law's days: goodwill, the house's refund, or a refusal in words"
NOTHING_PAID = "withdrawn, but nothing was paid that could go back by itself: a gift, or contested at the bank"


def carry_out(row: Declaration, *, at: datetime) -> None:
    """Do what it says. Raises work.Park for what needs a person, StripeUnavailable and others to be tried again."""
    _tie(row, row.member or _whose(row, at))
    withdraws = row.kind == Declaration.Kind.WITHDRAW
    row.outcome, wait = _withdraw(row, at) if withdraws else _cancel(row, at)
    row.save(update_fields=["outcome"])
    declaration_letters.settled(row, at=at)
    if wait:
        raise Park(wait)


def _whose(row: Declaration, at: datetime) -> Member:
    """The member whose address and number were both given, or whose mailbox said so."""
    named = Member.objects.select_related("user").filter(user__email=row.email).first()
    if named is None:
        raise Park(UNKNOWN)
    if row.proven_at is None and numbers.normalize(row.number) != named.number:
        declaration_letters.was_it_you(row, named, at=at)
        raise Park(UNPROVEN)
    return named


@transaction.atomic
def _tie(row: Declaration, member: Member) -> None:
    """Whose it is, once and for all: a membership begun later is not what was meant."""
    about = {"declaration": row.pk, "kind": row.kind}
    if row.member_id and TimelineEntry.objects.filter(member=member, source_ref=_actor(row)).exists():
        return
    own = Membership.objects.with_facts().filter(member=member, reserved_at__lte=row.arrived_at)
    began = own.exclude(status=Status.ENDED, entitled_until=None)
    row.member, row.membership = member, began.order_by("-reserved_at", "-pk").first()
    row.save(update_fields=["member", "membership"])
    timeline.write(
        member=member,
        kind="declaration.arrived",
        at=row.arrived_at,
        actor=_actor(row),
        data=about,
        source_ref=_actor(row),
    )


def _actor(row: Declaration) -> str:
    return f"declaration:{row.pk}"


def _membership(row: Declaration) -> Membership | None:
    return Membership.objects.with_facts().get(pk=row.membership_id) if row.membership_id else None


def _cancel(row: Declaration, at: datetime) -> tuple[str, str]:
    """-> the outcome, and what a person must still look at ("": nothing)."""
    membership = _membership(row)
    if membership is not None and _is_ours(row, membership):
        return Outcome.CANCELED, _afterwards(row, membership)
    if membership is None or standing.at(membership, at) in {Standing.LAPSED, Standing.ENDED}:
        return _no_own(row, at), ""
    kind = outlook.kind_of(membership, at=at)
    if kind == Kind.CANCELED:
        return Outcome.BEFORE, FOR_CAUSE if row.for_cause else ""
    if kind == Kind.BY_ITSELF:
        return Outcome.BY_ITSELF, FOR_CAUSE if row.for_cause else ""
    if _ends_later(row, membership):
        raise Park(ENDS_LATER)
    membership = leaving.cancel(membership=membership, at=at, actor=_actor(row))
    return Outcome.CANCELED, _afterwards(row, membership)


def _is_ours(row: Declaration, membership: Membership) -> bool:
    """Canceled since it arrived: by this very declaration before a crash, even if that was taken back since, or so
    near to it that it is the same wish."""
    when = membership.canceled_at or membership.ended_at
    if when is not None and when >= row.arrived_at:
        return True
    acts = Q(kind="membership.cancel") | Q(kind="membership.end")
    return TimelineEntry.objects.filter(acts, member=row.member, actor=_actor(row)).exists()


def _no_own(row: Declaration, at: datetime) -> str:
    assert row.member is not None  # tied
    seat = standing.seat_membership(row.member, at)
    return Outcome.SHARED if seat is not None and standing.at(seat, at) in standing.HELD else Outcome.OVER


def _afterwards(row: Declaration, membership: Membership) -> str:
    late = membership.terms.filter(source=Term.Source.PAID, recorded_at__gt=row.arrived_at)
    if late.exists():
        return RENEWED
    return FOR_CAUSE if row.for_cause else ""


def _ends_later(row: Declaration, membership: Membership) -> bool:
    """Whether the day that was named lies beyond the next term too: else it ends with the one that is paid, since
    nobody pays for a term that they do not want to the end."""
    last = max(membership.terms.all(), key=lambda term: term.ends_at, default=None)
    if row.wanted_on is None or last is None:
        return False
    length = terms.Length.of_plan(membership.plan)
    following = terms.follow(last, source=Term.Source.PAID, length=length, starts_at=last.ends_at)
    return row.wanted_on >= calendar.last_day(following.ends_at, membership.time_zone)


def _withdraw(row: Declaration, at: datetime) -> tuple[str, str]:
    """The law's right, asked of the moment it arrived: the money back by the same door as in the portal."""
    membership = _membership(row)
    if membership is not None and Refund.objects.filter(decision=f"refund:{_actor(row)}").exists():
        return Outcome.WITHDRAWN, ""
    if membership is None:
        return _no_own(row, at), ""
    if refund_quotes.standing_decision(membership) or membership.cut_at is not None:
        return Outcome.BEFORE, ""
    if not membership.terms.all():  # never paid: its place is given back
        return _cancel(row, at)
    quote = refund_policy.cooling_off(refund_quotes.case_of(membership, row.arrived_at))
    if membership.status == Status.ENDED:
        return _no_own(row, at), NOTHING_PAID if quote is not None and quote.amount else ""
    if quote is None:
        return Outcome.TOO_LATE, TOO_LATE
    return _give_back(row, membership, quote, at) if quote.amount else _nothing_paid(row, membership, at)


def _nothing_paid(row: Declaration, membership: Membership, at: datetime) -> tuple[str, str]:
    """Free days end by themselves, and nothing is ever charged. What was paid for elsewhere, a person looks at."""
    free = not membership.payments.exists() and outlook.kind_of(membership, at=at) != Kind.BY_ITSELF
    if free:
        return _cancel(row, at)
    raise Park(NOTHING_PAID)


def _give_back(row: Declaration, membership: Membership, quote: Quote, at: datetime) -> tuple[str, str]:
    with contextlib.suppress(gateway.StripeUnavailable):  # it is decided, and goes on by itself (nets.finish_refunds)
        refunds.ask(
            membership=membership,
            quote=quote,
            effect=Refund.Effect.END_NOW,
            at=row.arrived_at,
            actor=_actor(row),
            once=_actor(row),
        )
    return Outcome.WITHDRAWN, ""
