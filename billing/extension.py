"""Free extension: days given to a membership, at no charge; the next renewal waits for them. Called by staff's doors.

First the proposal, with the dates it leads to; then the same, done: the term, its reason for the audit, the letter,
and (see aligning.py) the next charge at Stripe, in one transaction and one Operation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext_noop

from billing import gateway, next_charge, outlook
from billing.models import LIVE, Subscription
from membership import audit, calendar, lifecycle, messages, standing
from membership.errors import DomainError
from membership.models import Membership, Term
from membership.standing import Standing

if TYPE_CHECKING:
    from datetime import datetime

FARTHEST = 2  # years from today: Stripe takes no later `trial_end`
OVER = {Standing.PENDING, Standing.LAPSED, Standing.ENDED}


class NotExtendable(DomainError):
    """Nothing runs that could be extended, or it would run too far."""

    code = "not_extendable"
    message = gettext_noop("Only a membership whose paid time runs can be extended.")


class RenewalUnderWay(DomainError):
    code = "renewal_under_way"
    message = gettext_noop("Its renewal is being collected. Wait until it is paid, or end it first.")


class TooFar(DomainError):
    code = "too_far"
    message = gettext_noop("A membership can run two years from today at most.")


class DateRefused(DomainError):
    """Stripe would not charge at that date: the days would be given, and charged for all the same."""

    code = "charge_cannot_wait"
    status = 422
    message = gettext_noop("The payment service cannot move the charge to that day. Give fewer days.")


class AddedMeanwhile(DomainError):
    """What was looked at is no longer what the time would be added to: a colleague was faster."""

    code = "added_meanwhile"
    message = gettext_noop("Somebody has added time meanwhile. Look again, and add more only if it is still wanted.")


def refuse_moved(seen: datetime | None, found: datetime | None) -> None:
    """`seen`: where the paid time ended for whoever decided; `found`: where it ends, under the lock.

    Raises AddedMeanwhile.
    """
    if seen != found:
        raise AddedMeanwhile


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What `days` free days lead to. `moves_charge`: a renewal is expected, and is charged at `ends_at` then."""

    days: int
    charged_at: datetime
    ends_at: datetime
    entitled_until: datetime
    moves_charge: bool


def propose(*, membership: Membership, days: int, at: datetime) -> Proposal:
    """The dates after a free extension. Raises NotExtendable, RenewalUnderWay, TooFar."""
    membership = Membership.objects.with_facts().get(pk=membership.pk)
    charged_at = outlook.charge_at(membership)
    over = membership.status not in lifecycle.LIVING or membership.cut_at is not None
    if days < 1 or charged_at is None or over or standing.at(membership, at) in OVER:
        raise NotExtendable
    if charged_at <= at:
        raise RenewalUnderWay
    ends_at = calendar.anniversary(charged_at, "day", days)
    if ends_at > calendar.anniversary(at, "year", FARTHEST):
        raise TooFar
    live = Subscription.objects.filter(membership=membership, status__in=LIVE).exists()
    return Proposal(
        days=days,
        charged_at=charged_at,
        ends_at=ends_at,
        entitled_until=calendar.midnight_after(ends_at, membership.time_zone),
        moves_charge=live and membership.renewal_expected,
    )


def ask_stripe(proposal: Proposal, membership: Membership) -> None:
    """Whether Stripe would charge at the proposed date, by a preview that changes nothing.

    Its types say that a trial may end "at most two years from `billing_cycle_anchor`", which leaves open what that is
    for a subscription whose anchor lies years back. Raises DateRefused, StripeUnavailable.
    """
    subscription = next_charge.live(membership)
    if subscription is None or not proposal.moves_charge:
        return
    details = {"trial_end": int(proposal.ends_at.timestamp()), "proration_behavior": "none"}
    asked = {"subscription": subscription.stripe_id, "subscription_details": details}
    try:
        gateway.read(gateway.client().v1.invoices.create_preview, asked)
    except gateway.StripeRefused as refusal:
        raise DateRefused(said=refusal.details["said"]) from refusal


def extend(*, membership: Membership, days: int, reason: str, ref: str, at: datetime, actor: str) -> Term:
    """Give `days` free days, once per `ref`, behind the terms that `membership` has as it was loaded; the member is
    told. -> the term they are.

    Stripe is asked first whether the charge can wait so long. It moves after the commit; if Stripe does not answer
    then, the janitor moves it. Raises as `propose`, `refuse_moved` and `ask_stripe`.
    """
    seen = outlook.charge_at(membership)
    source_ref = f"extension:{membership.pk}:{ref}"
    if not Term.objects.filter(source_ref=source_ref).exists():
        ask_stripe(propose(membership=membership, days=days, at=at), membership)
    with transaction.atomic():
        membership = Membership.objects.lock(membership.pk)
        given = Term.objects.filter(source_ref=source_ref).first()
        if given is not None:
            return given
        proposal = propose(membership=membership, days=days, at=at)
        refuse_moved(seen, proposal.charged_at)
        term = lifecycle.extend(membership=membership, days=days, source_ref=source_ref, at=at, actor=actor)
        data = {"term": term.pk, "days": days, "reason": reason, "ref": ref}
        audit.write(actor=actor, verb="extend", subject=f"membership:{membership.pk}", at=at, data=data)
        _tell(membership, proposal, source_ref, at)
        return term


def _tell(membership: Membership, proposal: Proposal, source_ref: str, at: datetime) -> None:
    messages.write(
        key=source_ref,
        kind="membership_extended",
        member=membership.member,
        at=at,
        context={
            "proposal": proposal,
            "last_day": calendar.last_day(proposal.entitled_until, membership.time_zone),
            "price": next_charge.price(membership),
        },
    )
