"""Terms that staff add: free of charge, or because money came another way than by Stripe (offline.py).

A term is added behind what somebody has, or begins a new stay. Where a subscription runs, what is given free of charge
moves the next charge behind it, as free days do (extension.py); what was paid offline is refused, for the renewal would
be charged for the same time: it is canceled first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext_noop

from billing import checkout, extension, messages_of_terms, outlook
from billing.models import LIVE, CheckoutSession, Customer, Subscription
from membership import audit, calendar, lifecycle, standing, terms
from membership.errors import DomainError
from membership.models import Member, Membership, Plan, Price, Term
from membership.standing import Standing

if TYPE_CHECKING:
    from datetime import datetime

MOST_MONTHS = 12  # of one complimentary term
OVER = {Standing.LAPSED, Standing.ENDED}


class TooLong(DomainError):
    code = "term_too_long"
    status = 422
    message = gettext_noop("A year is the most that is given at once.")


class AtThePayPage(DomainError):
    code = "at_the_pay_page"
    message = gettext_noop(
        "A place is kept for them while they pay. Wait until it is paid or runs out, or cancel it first."
    )


class StillAtStripe(DomainError):
    code = "still_at_stripe"
    message = gettext_noop(
        "An earlier subscription still runs at Stripe and could charge. It is being ended: try again in a few minutes."
    )


class WouldChargeToo(DomainError):
    code = "renewal_would_charge_too"
    message = gettext_noop(
        "Its renewal would charge the card for the same time. Cancel the membership first: what is paid runs to "
        "its end, and this term follows it."
    )


@dataclass(frozen=True, kw_only=True)
class Placed:
    """Where a term would stand. `membership` None: it begins a new stay. `moves_charge`: the renewal waits for it."""

    membership: Membership | None
    plan: Plan
    starts_at: datetime
    ends_at: datetime
    entitled_until: datetime
    moves_charge: bool = False


def place(*, member: Member, plan: Plan, length: terms.Length, at: datetime, paid: bool = False) -> Placed:
    """The dates of such a term, were it added now. `paid`: money came for it.

    Raises AtThePayPage, StillAtStripe, WouldChargeToo, extension.NotExtendable, RenewalUnderWay, TooFar.
    """
    own = standing.own_membership(member)
    if own is None or standing.at(own, at) in OVER:
        if Subscription.objects.filter(membership__member=member, status__in=LIVE).exists():
            raise StillAtStripe
        zone = member.user.time_zone
        return _placed(None, plan, terms.follow(None, source=Term.Source.OFFLINE, length=length, starts_at=at), zone)
    can_be_followed(own, at, paid=paid)
    last = max(own.terms.all(), key=lambda term: term.starts_at)
    source = Term.Source.OFFLINE if paid else Term.Source.COMPLIMENTARY
    term = terms.follow(last, source=source, length=length, starts_at=at)
    if term.ends_at > calendar.anniversary(at, "year", extension.FARTHEST):
        raise extension.TooFar
    live = Subscription.objects.filter(membership=own, status__in=LIVE).exists()
    return _placed(own, plan, term, own.time_zone, moves_charge=live and own.renewal_expected)


def can_be_followed(own: Membership, at: datetime, *, paid: bool = False) -> None:
    """Raises AtThePayPage, WouldChargeToo, extension.NotExtendable, RenewalUnderWay."""
    charged_at = outlook.charge_at(own)
    if charged_at is None:
        raise AtThePayPage
    if own.status not in lifecycle.LIVING or own.cut_at is not None:
        raise extension.NotExtendable
    if own.renewal_expected and charged_at <= at:
        raise extension.RenewalUnderWay
    if own.renewal_expected and paid:
        raise WouldChargeToo


def _placed(own: Membership | None, plan: Plan, term: Term, zone: str, *, moves_charge: bool = False) -> Placed:
    return Placed(
        membership=own,
        plan=plan,
        starts_at=term.starts_at,
        ends_at=term.ends_at,
        entitled_until=calendar.midnight_after(term.ends_at, zone),
        moves_charge=moves_charge,
    )


def ending(own: Membership | None, *, at: datetime) -> datetime | None:
    """Where what they have ends; None where a term would begin a new stay."""
    if own is None or standing.at(own, at) in OVER:
        return None
    return outlook.charge_at(own)


def months(count: int) -> terms.Length:
    """Raises TooLong."""
    if not 1 <= count <= MOST_MONTHS:
        raise TooLong
    return terms.Length(Term.Interval.YEAR) if count == MOST_MONTHS else terms.Length(Term.Interval.MONTH, count)


def ask_stripe(placed: Placed) -> None:
    """Whether Stripe would let the charge wait so long. Raises extension.DateRefused, StripeUnavailable."""
    if placed.membership is not None and placed.moves_charge:
        days = (placed.ends_at - placed.starts_at).days
        asked = extension.Proposal(
            days=days,
            charged_at=placed.starts_at,
            ends_at=placed.ends_at,
            entitled_until=placed.entitled_until,
            moves_charge=True,
        )
        extension.ask_stripe(asked, placed.membership)


def give(
    *,
    member: Member,
    plan: Plan,
    count: int,
    currency: str,
    behind: datetime | None,
    ref: str,
    at: datetime,
    actor: str,
) -> Term:
    """A complimentary term of `count` months of `plan`, once per `ref`; the member is told. -> the term.

    `behind`: where the paid time ended for whoever decided this (see `ending`).

    The charge of a running subscription moves after the commit; the janitor moves it where Stripe does not answer then.
    Raises TooLong, and as `place` and `ask_stripe`.
    """
    length, source_ref = months(count), f"complimentary:{member.pk}:{ref}"
    if not Term.objects.filter(source_ref=source_ref).exists():
        ask_stripe(place(member=member, plan=plan, length=length, at=at))
    with transaction.atomic():
        given = Term.objects.filter(source_ref=source_ref).first()
        if given is not None:
            return given
        term, placed = add(
            member=member,
            plan=plan,
            length=length,
            currency=currency,
            behind=behind,
            source=Term.Source.COMPLIMENTARY,
            source_ref=source_ref,
            at=at,
            actor=actor,
        )
        data = {"term": term.pk, "plan": plan.code, "months": count}
        audit.write(actor=actor, verb="give_term", subject=f"membership:{term.membership_id}", at=at, data=data)
        if placed.membership is not None:
            messages_of_terms.given(term, placed, at=at)
        return term


def add(
    *,
    member: Member,
    plan: Plan,
    length: terms.Length,
    currency: str,
    behind: datetime | None,
    source: Term.Source,
    source_ref: str,
    at: datetime,
    actor: str,
) -> tuple[Term, Placed]:
    """Inside the caller's transaction: add the term, behind what there is or as the first of a new stay, with its card
    and welcome. Everything is asked anew under the lock. Raises as `place` and `extension.refuse_moved`."""
    Member.objects.select_for_update().only("pk").get(pk=member.pk)
    paid = source == Term.Source.OFFLINE
    placed = place(member=member, plan=plan, length=length, at=at, paid=paid)
    membership = placed.membership
    if membership is None:
        membership = lifecycle.reserve(member=member, plan=plan, currency=currency, at=at, actor=actor)
        if CheckoutSession.objects.filter(membership=membership, state=CheckoutSession.State.OPEN).exists():
            raise AtThePayPage
    else:
        Membership.objects.lock(membership.pk)
        placed = place(member=member, plan=plan, length=length, at=at, paid=paid)
    extension.refuse_moved(behind, ending(placed.membership, at=at))
    term, _new = lifecycle.add_term(
        membership=membership, source=source, source_ref=source_ref, plan=plan, length=length, at=at, actor=actor
    )
    if placed.membership is None:
        messages_of_terms.welcome(term, at=at, actor=actor)
    return term, placed


def currency_of(member: Member, *, plan: Plan) -> str:
    """The currency of a new stay: the one that Stripe pinned for them, else that of the plan's first price.

    Raises NotForSale.
    """
    customer = Customer.objects.filter(member=member).first()
    if customer and customer.currency:
        return customer.currency
    price = Price.objects.filter(plan=plan, retired_at=None).order_by("pk").first()
    if price is None:
        raise checkout.NotForSale
    return price.currency
