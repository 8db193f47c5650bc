"""Refund quotes for a membership: its payments, terms and law become a Case, and the policy does the sums.

The member's page, staff's command and the execution ask here, so all of them see the same numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.conf import settings

from billing import refund_policy
from billing.models import STANDING, Payment, Refund
from billing.refund_policy import Basis, Case, NothingToRefund, Paid, Quote
from membership import lifecycle, standing
from membership.models import Term
from perks import ledger

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from membership.models import Membership


def offers(*, membership: Membership, at: datetime) -> Quote | None:
    """What the member may have by asking: the law's right, else the house's rule. None: nothing."""
    if membership.status not in lifecycle.LIVING or membership.cut_at is not None:
        return None
    case = case_of(membership, at)
    found = refund_policy.cooling_off(case)
    if found is None and settings.HOUSE_REFUNDS:
        found = refund_policy.house(case)
    return found if found is not None and found.amount else None


def quote(*, membership: Membership, basis: Basis, at: datetime, amount: int | None = None) -> Quote:
    """The quote on one basis; `amount` is staff's own for goodwill. Raises NothingToRefund, TooMuch."""
    case = case_of(membership, at)
    if basis == Basis.GOODWILL:
        return refund_policy.goodwill(case, amount=amount or 0)
    found = refund_policy.cooling_off(case) if basis == Basis.COOLING_OFF else refund_policy.house(case)
    if found is None or not found.amount:
        raise NothingToRefund
    return found


def case_of(membership: Membership, at: datetime) -> Case:
    """All a quote follows from. `membership` is loaded with its facts."""
    zone = ZoneInfo(membership.time_zone)
    today = at.astimezone(zone).date()
    terms = sorted(membership.terms.all(), key=lambda t: t.starts_at)
    if not terms:
        raise NothingToRefund
    payments = list(Payment.objects.filter(membership=membership).exclude(invoice=None).select_related("invoice"))
    currency = payments[-1].currency if payments else membership.currency
    return Case(
        today=today,
        currency=currency,
        jurisdiction=_jurisdiction(payments),
        concluded_on=terms[0].starts_at.astimezone(zone).date(),
        renewed_on=_renewed_on(membership, terms, at, zone),
        payments=tuple(p for p in _paid(payments, terms, zone) if p.ends_on > today),
        perks_used=_perks_used(membership, terms, currency, at),
    )


def _perks_used(membership: Membership, terms: list[Term], currency: str, at: datetime) -> int:
    """Their worth since the oldest paid term that is not over began. What was used in another currency than was paid
    cannot be weighed against it, and is not taken off."""
    paid = [term.starts_at for term in terms if term.source == Term.Source.PAID and term.ends_at > at]
    if not paid:
        return 0
    return ledger.worth_used(membership=membership, currency=currency, since=min(paid), until=at)


def _jurisdiction(payments: list[Payment]) -> str:
    country = next((p.country for p in reversed(payments) if p.country), "")
    return refund_policy.jurisdiction_of(country, settings.HOME_JURISDICTION)


def _renewed_on(membership: Membership, terms: list[Term], at: datetime, zone: ZoneInfo) -> date | None:
    """The day the running term began, if it renewed for a year or more, or out of a trial."""
    running = standing.term_at(membership, at)
    if running is None or running == terms[0] or running.source != Term.Source.PAID:
        return None
    before = terms[terms.index(running) - 1]
    months = running.every * (12 if running.interval == Term.Interval.YEAR else 1)
    long = running.interval != Term.Interval.DAY and months >= 12
    return running.starts_at.astimezone(zone).date() if long or before.source == Term.Source.TRIAL else None


def _paid(payments: list[Payment], terms: list[Term], zone: ZoneInfo) -> Iterable[Paid]:
    by_ref = {term.source_ref: term for term in terms}
    for payment in payments:
        assert payment.invoice is not None
        spans = []
        for line in payment.invoice.lines.all():
            term = by_ref.get(line.term_ref)  # a pause moves a term's end, not its line's
            if line.amount > 0:
                spans.append((term.starts_at, term.ends_at) if term else (line.starts_at, line.ends_at))
        if spans:
            yield Paid(
                ref=payment.pk,
                captured=payment.captured,
                returned=payment.returned,
                disputed=payment.disputed,
                starts_on=min(start for start, _ in spans).astimezone(zone).date(),
                ends_on=max(end for _, end in spans).astimezone(zone).date(),
            )


def buys_time_after(payment: Payment, at: datetime) -> bool:
    """Whether this payment bought a term that is not over at `at`."""
    if payment.invoice is None:
        return False
    refs = [line.term_ref for line in payment.invoice.lines.filter(buys_time=True)]
    return Term.objects.filter(source_ref__in=refs, ends_at__gt=at).exists()


def standing_decision(membership: Membership) -> str:
    """The decision that ends this membership with money back, if one stands: there is one at most."""
    ours = Refund.objects.filter(membership=membership, state__in=STANDING).exclude(basis=Refund.Basis.STRIPE)
    found = ours.exclude(effect=Refund.Effect.MONEY_ONLY).values_list("decision", flat=True).first()
    return found or ""
