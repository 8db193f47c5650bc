"""Money that came another way than by Stripe: at the counter, or by transfer. Recorded by staff, once per reference.

It buys one term of a plan at its price of today. It is no money of Stripe's: no refund, dispute or invoice of Stripe's
knows it, and reports name it apart.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_noop

from billing import given, messages_of_terms
from billing.models import OfflinePayment
from membership import audit, terms, timeline
from membership.errors import DomainError
from membership.models import Term

if TYPE_CHECKING:
    from datetime import date, datetime

    from billing.given import Placed
    from membership.models import Member, Price

OLDEST = timedelta(days=90)  # a payment of longer ago is more likely a wrong year


class ReferenceTaken(DomainError):
    """What stands under this reference is another payment, or this one, recorded before."""

    code = "reference_taken"
    message = gettext_noop("A payment with this reference is recorded already.")


class WrongDay(DomainError):
    code = "wrong_day"
    status = 422
    message = gettext_noop("The day of a payment lies within the last 90 days.")


def place(*, member: Member, price: Price, reference: str, paid_on: date, at: datetime) -> Placed:
    """The term that this payment would buy. Raises ReferenceTaken, WrongDay, and as given.place."""
    today = at.astimezone(ZoneInfo(settings.VIP_HOME_ZONE)).date()
    if not today - OLDEST <= paid_on <= today:
        raise WrongDay
    if OfflinePayment.objects.filter(reference=folded(reference)).exists():
        raise ReferenceTaken
    return given.place(member=member, plan=price.plan, length=terms.Length.of_plan(price.plan), at=at, paid=True)


def record(
    *,
    member: Member,
    price: Price,
    means: str,
    reference: str,
    paid_on: date,
    behind: datetime | None,
    at: datetime,
    actor: str,
) -> OfflinePayment:
    """Keep the payment and add its term `behind` what they have (see given.ending); the member has a receipt. Of any
    number of tries with one reference one is recorded. Raises as `place` and `given.add`."""
    place(member=member, price=price, reference=reference, paid_on=paid_on, at=at)
    reference = folded(reference)
    try:
        with transaction.atomic():
            term, placed = given.add(
                member=member,
                plan=price.plan,
                length=terms.Length.of_plan(price.plan),
                currency=price.currency,
                behind=behind,
                source=Term.Source.OFFLINE,
                source_ref=f"offline:{member.pk}:{reference}",
                at=at,
                actor=actor,
            )
            payment = OfflinePayment.objects.create(
                member=member, term=term, price=price, amount=price.amount, currency=price.currency, means=means,
                reference=reference, paid_on=paid_on, recorded_at=at, recorded_by=actor,
            )  # fmt: skip
            _tell(payment, placed)
            return payment
    except IntegrityError:  # one_offline_payment_per_reference, or its term's: a colleague was faster
        if not OfflinePayment.objects.filter(reference=reference).exists():
            raise
        raise ReferenceTaken from None


def _tell(payment: OfflinePayment, placed: Placed) -> None:
    """The story, the audit, and the member's receipt."""
    member, term, at, actor = payment.member, payment.term, payment.recorded_at, payment.recorded_by
    data: dict[str, Any] = {name: getattr(payment, name) for name in ("amount", "currency", "means", "reference")}
    timeline.write(member=member, kind="payment.offline", at=at, actor=actor, data=data, source_ref=term.source_ref)
    data |= {"term": term.pk, "paid_on": payment.paid_on.isoformat()}
    audit.write(actor=actor, verb="record_payment", subject=f"membership:{term.membership_id}", at=at, data=data)
    messages_of_terms.receipt(payment, placed, at=at)


def folded(reference: str) -> str:
    """A reference as it is kept: however it is typed, one receipt is one reference."""
    return "".join(reference.split()).upper()
