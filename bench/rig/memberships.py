"""Memberships by the million with all that gathers about them, and rows of each kind that wait for a sweep."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from bench.rig import crowd
from bench.rig.crowd import many, moment, named

if TYPE_CHECKING:
    from datetime import datetime


def fill(size: int, due: int, at: datetime) -> None:
    """`size` memberships that are well, then `due` that run out, `due` unpaid after grace and `due` ended and alive."""
    from django.db import transaction

    rows = _patterns(at)
    well, out, unpaid, ended = (size + due * kind for kind in range(4))
    crowd.hurry()
    with transaction.atomic():
        many(rows["user"], 1, ended, email=named("person") + " || '@bench.example'")
        many(rows["member"], 1, ended, user_id="n.i", number="CAST(1000000000 + n.i AS varchar(10))")
        day, year = 86_400, 31_536_000
        spread = f"((n.i * 7919) % {year - day}) + {day}"  # the days of the year, well mixed
        well_until = {"entitled_until": moment(at, spread), "member_id": "n.i"}
        many(rows["membership"], 1, well, **well_until)
        late = moment(at, f"-{20 * day} - ((n.i * 7919) % {day})")
        many(rows["running out"], well + 1, out, member_id="n.i", entitled_until=late)
        many(rows["membership"], out + 1, unpaid, member_id="n.i", entitled_until=late)
        just_now = moment(at, f"-(n.i % {day})")
        many(rows["ended"], unpaid + 1, ended, member_id="n.i", entitled_until=just_now, ended_at=just_now)
        of_it = {"membership_id": "n.i", "source_ref": named("bench:")}
        many(rows["term"], 1, ended, **of_it)
        subscription = {"membership_id": "n.i", "stripe_id": named("sub_")}
        many(rows["subscription"], 1, well, **subscription)
        many(rows["canceled subscription"], well + 1, out, **subscription)
        many(rows["unpaid subscription"], out + 1, unpaid, **subscription)
        many(rows["subscription"], unpaid + 1, ended, **subscription)
        _gathers(rows, size, due, at)
    crowd.settle()


def _gathers(rows: dict[str, Any], size: int, due: int, at: datetime) -> None:
    """What is done for each membership and, for `due` of them, what waits to be done."""
    from billing.models import Subscription

    ago, mixed = moment(at, "-(n.i % 3000) - 1"), moment(at, "86400 + (n.i * 7919) % 20000000")
    waits = (size + 1, size + due)
    for kind in ("event", "message", "operation", "notice", "checkout"):
        unique = {"event": "stripe_id", "message": "key", "operation": "key", "checkout": "stripe_id"}.get(kind)
        names = {unique: named(f"{kind}_")} if unique else {"membership_id": "n.i", "term_id": "n.i"}
        names |= {"membership_id": "n.i"} if kind == "checkout" else {}
        names |= {"member_id": "n.i"} if kind in {"message", "operation"} else {}
        moments = {"due_at": mixed} if kind == "notice" else {}
        lately = {"asked_at": moment(at, "-600")} if kind == "operation" else {}
        many(rows[kind], 1, size, **names, **moments)  # done, but notices: those are planned
        when = "look_at" if kind in {"operation", "checkout"} else "due_at"
        many(rows[f"waiting {kind}"], *waits, **names, **lately, **{when: ago})
    parked = (size + due + 1, size + 2 * due)
    many(rows["parked event"], *parked, stripe_id=named("event_"), due_at=ago)
    for kind in ("give back", "end at Stripe"):
        first = size + due * (1 if kind == "give back" else 2)
        many(rows[kind], first + 1, first + due, key=named(f"{kind}:"), member_id="n.i", asked_at=ago)
    many(rows["payment"], *waits, membership_id="n.i", stripe_id=named("ch_"), intent_id=named("pi_"))
    refund = {"membership_id": "n.i", "payment_id": "n.i", "stripe_id": "NULL", "decision": named("refund:")}
    many(rows["refund"], *waits, **refund)
    some = Subscription.objects.filter(pk__lte=size).order_by("pk").values_list("pk", flat=True)[:due]
    Subscription.objects.filter(pk__in=list(some)).update(reread_at=at - timedelta(minutes=1))


def _patterns(at: datetime) -> dict[str, Any]:
    """One row of each kind, as the product would write it; none is saved but the plan."""
    from billing import endings, misplaced
    from billing.models import (
        CheckoutSession,
        Notice,
        Operation,
        Payment,
        Refund,
        StripeEvent,
        Subscription,
    )
    from membership.models import Member, Membership, Message, Plan, Price, Term, Tier, User

    tier = Tier.objects.create(code="gold", name="Gold", rank=3, color="gold")
    plan = Plan.objects.create(code="gold-year", tier=tier)
    price = Price.objects.create(plan=plan, currency="EUR", amount=11900)
    past, wall = at - timedelta(days=300), at
    held = {"plan": plan, "currency": "EUR", "time_zone": "Europe/Amsterdam", "reserved_at": past}
    term = Term(plan=plan, source="paid", anchor_at=past, interval="year", ordinal=1, starts_at=past, recorded_at=past)
    term.ends_at = past + timedelta(days=365)
    live = {"price": price, "read_at": wall, "current_period_end": at + timedelta(days=65)}
    event = {
        "type": "invoice.paid",
        "object_id": "in_1",
        "payload": {"object": "event", "data": {"object": {"customer": "cus_1"}}},
        "received_at": past,
    }
    letter = {"kind": "receipt", "to": "ada@bench.example", "language": "en", "subject": "Your receipt"}
    letter |= {"text": "Thank you. " * 30, "written_at": past}
    asked = {"params": {"metadata": {"member": "1"}}, "asked_at": past, "key_good_until": past}
    told = {"kind": "renewal", "step": "T-35", "latest_at": at + timedelta(days=40)}
    page = {"price": price, "opened_at": past}
    done = {"due_at": past, "done_at": past}
    state = Operation.State
    return {
        "user": User(password="!", language="en", time_zone="Europe/Amsterdam"),  # noqa: S106
        "member": Member(name="Ada Lovelace"),
        "membership": Membership(status="active", **held),
        "running out": Membership(status="active", renewal_expected=False, canceled_at=past, **held),
        "ended": Membership(status="ended", renewal_expected=False, end_reason="lapsed", **held),
        "term": term,
        "subscription": Subscription(status="active", **live),
        "canceled subscription": Subscription(status="canceled", **live),
        "unpaid subscription": Subscription(status="past_due", **live),
        "event": StripeEvent(**event, **done),
        "waiting event": StripeEvent(**event),
        "parked event": StripeEvent(**event, parked_reason="belongs to a customer we do not know"),
        "message": Message(**letter, **done),
        "waiting message": Message(**letter),
        "operation": Operation(kind="checkout", state=state.DONE, stripe_id="cs_1", answered_at=past, **asked),
        "waiting operation": Operation(kind="checkout", **asked),
        "give back": Operation(kind=misplaced.CANCEL, **asked | {"params": {"subscription": "sub_1"}}),
        "end at Stripe": Operation(kind=endings.CANCEL, **asked | {"params": {"membership": 1}}),
        "notice": Notice(**told),
        "waiting notice": Notice(**told),
        "checkout": CheckoutSession(state="complete", look_at=past, **page),
        "waiting checkout": CheckoutSession(**page),
        "payment": Payment(currency="EUR", captured=11900, returned=100, paid_at=past, read_at=wall),
        "refund": Refund(basis="goodwill", effect="money_only", amount=100, currency="EUR", decided_at=past),
    }
