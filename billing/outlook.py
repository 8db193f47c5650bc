"""Outlook: what canceling would mean for a person now, in money and days. Read by the cancel page and by leaving.py.

Nothing here writes or calls Stripe: it asks stored facts at a moment, and the answer names one kind of farewell.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from billing import dunning, next_charge
from billing.models import LIVE, Subscription
from membership import standing
from membership.models import Status, Term
from membership.standing import Standing

if TYPE_CHECKING:
    from datetime import datetime

    from billing.models import Invoice
    from membership.models import Member, Membership, Price


class Kind(StrEnum):
    """What canceling does. The page's words, the verb and the letter all go by this."""

    RUNS_ON = "runs_on"  # paid: goes on to its last day, and can be undone until then
    TRIAL = "trial"  # free so far: ends with its free days, nothing is ever charged
    RESTING = "resting"  # paused: as paid, only that it rests now
    ON_HOLD = "on_hold"  # suspended, but paid: the renewal is stopped, the hold stays
    AT_ONCE = "at_once"  # a renewal is unpaid: ends now, the open invoice is dropped
    PLACE = "place"  # never paid: the reserved place is given back
    CANCELED = "canceled"  # done already
    BY_ITSELF = "by_itself"  # nothing renews: a gift, an offline year, a plan bought once
    SHARED = "shared"  # a seat: somebody else's membership
    NONE = "none"


AT_TERM_END = frozenset({Kind.RUNS_ON, Kind.TRIAL, Kind.RESTING, Kind.ON_HOLD})
CAN_CANCEL = AT_TERM_END | {Kind.AT_ONCE, Kind.PLACE}
OVER = frozenset({Standing.LAPSED, Standing.ENDED})


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """`price` is what the next renewal would have cost, at `charge_at`; `unpaid` the invoice that awaits payment."""

    kind: Kind
    membership: Membership | None = None
    price: Price | None = None
    charge_at: datetime | None = None
    unpaid: Invoice | None = None
    runs_on: bool = False  # perks go on after the click
    can_stay: bool = False  # the cancellation can be taken back

    @property
    def can_cancel(self) -> bool:
        return self.kind in CAN_CANCEL


def of(member: Member, *, at: datetime) -> Outlook:
    """What canceling would mean for `member` at `at`."""
    own = standing.own_membership(member)
    if own is None or standing.at(own, at) in OVER:
        seat = standing.seat_membership(member, at)
        shared = seat is not None and standing.at(seat, at) in standing.HELD
        return Outlook(kind=Kind.SHARED, membership=seat) if shared else Outlook(kind=Kind.NONE, membership=own)
    kind = kind_of(own, at=at)
    return Outlook(
        kind=kind,
        membership=own,
        price=next_charge.price(own),
        charge_at=charge_at(own),
        unpaid=dunning.unpaid_of(own),
        runs_on=own.entitled_until is not None and at < own.entitled_until,
        can_stay=kind == Kind.CANCELED and can_stay(own),
    )


def can_cancel(own: Membership, *, at: datetime) -> bool:
    """`Outlook.can_cancel` of a membership that is at hand, loaded with facts: for offering it."""
    return standing.at(own, at) not in OVER and kind_of(own, at=at) in CAN_CANCEL


def kind_of(membership: Membership, *, at: datetime) -> Kind:
    """What canceling this membership would do at `at`. Loaded with facts; not over yet."""
    if membership.status == Status.PENDING:
        return Kind.PLACE
    if membership.canceled_at is not None:
        return Kind.CANCELED
    if not membership.renewal_expected:
        return Kind.BY_ITSELF
    ends_at = charge_at(membership)
    if ends_at is not None and ends_at <= at:
        # Stripe renews at the term's end and charges an hour later; the perks' last day goes on to midnight.
        return Kind.AT_ONCE
    now = standing.at(membership, at)
    if now == Standing.SUSPENDED:
        return Kind.ON_HOLD
    if now == Standing.PAUSED:
        return Kind.RESTING
    return Kind.TRIAL if _last_term(membership).source == Term.Source.TRIAL else Kind.RUNS_ON


def charge_at(membership: Membership) -> datetime | None:
    """When the next renewal is charged: at the end of the last term."""
    return max((term.ends_at for term in membership.terms.all()), default=None)


def can_stay(membership: Membership) -> bool:
    """Whether something is left at Stripe that could renew, and nothing has been given back for an end to come."""
    live = Subscription.objects.filter(membership=membership, status__in=LIVE)
    return membership.cut_at is None and live.exists()


def _last_term(membership: Membership) -> Term:
    return max(membership.terms.all(), key=lambda term: term.starts_at)
