"""A small programme reckoned by hand, in the months around a New Year in Amsterdam: for the reports that count it."""

from __future__ import annotations

import itertools
from datetime import date, timedelta

from billing.models import Dispute, OfflinePayment, Payment, Refund, Subscription
from membership import lifecycle
from membership.models import Membership, Price
from perks.models import Grant, Perk, Redemption
from tests import factories
from tests.factories import moment

NOW = moment("2026-03-15T12:00")
_serial = itertools.count(1)


def joins(name: str, plan: str, *begins: str, currency: str = "EUR") -> Membership:
    """Somebody who joined at the first of these moments and paid again at each of the others."""
    first = moment(begins[0])
    wanted, member = factories.plan(plan), factories.member(name, at=first)
    held = lifecycle.reserve(member=member, plan=wanted, currency=currency, at=first, actor="test")
    for at in map(moment, begins):
        ref = f"{name} {at}"
        lifecycle.add_term(membership=held, plan=wanted, source="paid", source_ref=ref, at=at, actor="test")
    price = Price.objects.get(plan=wanted, currency=currency)
    state = "active" if begins else "incomplete"
    Subscription.objects.create(membership=held, stripe_id=f"sub_{name}", status=state, price=price, read_at=first)
    held.refresh_from_db()
    return held


def ends(held: Membership, reason: str, at: str) -> None:
    lifecycle.end(membership=held, reason=reason, at=moment(at), actor="test")


def pays(held: Membership, amount: int, at: str) -> Payment:
    ident = f"ch_{next(_serial)}"
    return Payment.objects.create(
        membership=held,
        stripe_id=ident,
        intent_id=ident,
        currency=held.currency,
        captured=amount,
        paid_at=moment(at),
        read_at=NOW,
    )


def given_back(payment: Payment, amount: int, at: str, state: str = "succeeded") -> None:
    Refund.objects.create(
        membership=payment.membership,
        payment=payment,
        decision=f"d{next(_serial)}",
        basis="goodwill",
        effect="money_only",
        amount=amount,
        currency=payment.currency,
        actor="test",
        state=state,
        decided_at=moment(at),
    )


def contested(payment: Payment, status: str, closed: str) -> None:
    Dispute.objects.create(
        membership=payment.membership,
        payment=payment,
        stripe_id=f"dp_{next(_serial)}",
        amount=payment.captured,
        currency=payment.currency,
        status=status,
        opened_at=payment.paid_at,
        closed_at=moment(closed),
    )


def uses(held: Membership, perk: Perk, worth: int, cost: int, at: str, *, back: int = 0, status: str = "committed"):
    grant, _ = Grant.objects.get_or_create(
        membership=held,
        perk=perk,
        source="goodwill",
        defaults={"reason": "test", "settings": {}, "starts_at": moment("2025-01-01T00:00"), "ends_at": NOW},
    )
    closed = None if status in {"held", "committed"} else moment(at)
    Redemption.objects.create(
        ident=f"rd_{next(_serial)}",
        member=held.member,
        grant=grant,
        status=status,
        period="",
        idempotency_key="k",
        order_ref="1",
        currency=held.currency,
        worth=worth,
        cost=cost,
        returned_worth=back,
        held_at=moment(at),
        expires_at=moment(at) + timedelta(hours=1),
        committed_at=moment(at),
        closed_at=closed,
    )


def lived(clock) -> dict[str, Membership]:
    """Thirteen people, told at NOW. Gold is 119.00 EUR or 23,800 JPY, silver 59.00, bronze 29.00."""
    clock.move_to(NOW)
    made = {
        "ann": joins("Ann", "gold-year", "2025-01-10T10:00", "2026-01-10T10:00"),
        "bob": joins("Bob", "gold-year", "2025-06-01T10:00"),
        "cem": joins("Cem", "silver-year", "2025-03-05T10:00"),  # not paid since the 5th: in grace for 14 days
        "dan": joins("Dan", "silver-year", "2025-02-01T10:00"),  # canceled in summer, had until the 1st of February
        "eve": joins("Eve", "gold-year", "2025-02-10T10:00"),  # given her money back on 20 December
        "fay": joins("Fay", "bronze-month", "2026-03-01T10:00"),
        "gus": joins("Gus", "gold-year", "2025-04-01T10:00", currency="JPY"),  # stopped since yesterday
        "ida": joins("Ida", "bronze-month", "2026-03-02T10:00"),  # joined, and changed her mind on the 4th
        "jon": joins("Jon", "gold-year", "2024-12-31T23:30", "2025-12-31T23:30"),  # 00:30 of New Year's Day there
        "kim": joins("Kim", "bronze-month", "2025-12-31T10:00"),  # canceled; the last day was 31 January
        "lou": joins("Lou", "silver-year", "2025-02-20T10:00"),  # did not pay; had until 20 February
        "ned": joins("Ned", "bronze-month", "2026-03-03T10:00"),
    }
    for who, at in (("dan", "2025-06-01T10:00"), ("kim", "2026-01-05T10:00")):
        lifecycle.cancel(membership=made[who], at=moment(at), actor="test")
    ends(made["eve"], "refunded", "2025-12-20T10:00")
    ends(made["ida"], "refunded", "2026-03-04T10:00")
    ends(made["lou"], "lapsed", "2026-03-07T10:00")
    at = moment("2026-03-14T10:00")
    lifecycle.suspend(membership=made["gus"], source="fraud", source_ref="f", at=at, actor="test")
    hal = factories.member("Hal", at=NOW)
    lifecycle.reserve(member=hal, plan=factories.plan("gold-year"), currency="EUR", at=NOW, actor="test")
    return made


def paid_offline(membership: Membership, amount: int, day: str) -> None:
    term, currency = membership.terms.latest("starts_at"), membership.currency
    price = Price.objects.get(plan=term.plan, currency=currency)
    OfflinePayment.objects.create(
        member=membership.member, term=term, price=price, amount=amount, currency=currency, means="counter",
        reference=f"K{term.pk}", paid_on=date.fromisoformat(day), recorded_at=NOW, recorded_by="staff:1",
    )  # fmt: skip
