"""Two tabs, two devices, and staff at once: whatever is pressed and paid together, one membership is open in the end
and every further payment is given back. Twin: without the constraint and the look before it, two places are reserved.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from django.test import Client

from billing import inbox, nets, reconcile, sync
from billing.emulator import store
from billing.models import CheckoutSession, Subscription
from membership import clock as product_clock
from membership import lifecycle
from membership.errors import DomainError
from membership.models import Member, Membership, Plan, Term
from tests import factories
from tests.billing.conftest import pay
from tests.billing.test_races import at_once
from tests.invariants import breached, without_constraint
from tests.storms.people import put_on_sale, somebody, tab_of

pytestmark = [pytest.mark.storm, pytest.mark.django_db(transaction=True)]
CODES = [f"{tier}-year" for tier in factories.TIERS]


def press(tab: Client, code: str) -> Callable[[], object]:
    return lambda: tab.post(f"/checkout/{code}/", {"agree": "on"})


def pay_whatever_is_open(member: Member) -> Callable[[], object]:
    """The other device still has its pay page open, and pays it."""
    pages = list(
        CheckoutSession.objects.filter(membership__member=member).exclude(url="").values_list("url", flat=True)
    )

    def act() -> None:
        for url in pages:
            pay(url)

    return act


def staff_reserves(member: Member, code: str) -> Callable[[], object]:
    def act() -> None:
        plan = Plan.objects.get(code=code)
        lifecycle.reserve(member=member, plan=plan, currency="EUR", at=product_clock.now(), actor="staff:1")

    return act


def one_round(seed: int) -> Member:
    """Three waves of two or three who press, pay, come back or reserve together; then all is heard of."""
    rng, member = random.Random(seed), somebody(f"Person {seed}")
    tabs = [tab_of(member) for _device in range(3)]
    for _wave in range(3):
        acts = [press(rng.choice(tabs), rng.choice(CODES)) for _act in range(rng.choice([1, 2]))]
        acts.append(rng.choice([pay_whatever_is_open(member), staff_reserves(member, rng.choice(CODES)), acts[0]]))
        for outcome in at_once(*acts):
            refused = isinstance(outcome, DomainError)
            assert refused or not isinstance(outcome, Exception), f"seed {seed}: {outcome!r}"
            assert getattr(outcome, "status_code", 200) < 500 or outcome.status_code == 503, f"seed {seed}"
    pay_whatever_is_open(member)()
    for session in CheckoutSession.objects.filter(membership__member=member).exclude(stripe_id=None):
        sync.checkout(str(session.stripe_id))
    nets.give_back_what_is_owed(at=product_clock.now())
    inbox.sweep(at=product_clock.now())
    return member


def settled(member: Member, seed: int) -> None:
    """One open membership at most, and what Stripe kept of this person's money is what bought the term."""
    assert Membership.objects.open().filter(member=member).count() <= 1, f"seed {seed}: two open memberships"
    bought = Term.objects.filter(membership__member=member).count()
    customer = member.customer.stripe_id if hasattr(member, "customer") else ""
    charges = [c.data for c in store.of("charge", customer=customer) if c.data["paid"]] if customer else []
    kept = [c["amount"] - c["amount_refunded"] for c in charges]
    assert sum(amount > 0 for amount in kept) == bought <= 1, f"seed {seed}: kept {kept} for {bought} term(s)"
    live = Subscription.objects.filter(membership__member=member, status__in=["active", "trialing", "past_due"])
    assert live.count() == bought, f"seed {seed}: {live.count()} live subscriptions"


def storm(seeds: range) -> None:
    for seed in seeds:
        settled(one_round(seed), seed)


def test_two_devices_and_staff_leave_one_membership(clock, share):
    put_on_sale()
    storm(share.seeds(ci=60, full=2000))
    reconcile.go_on(reconcile.begin(since=None, at=clock.now))  # no webhook came: what was given back is found here
    assert breached() == set()


def test_with_the_defense_off_they_leave_two(clock, share, monkeypatch):
    put_on_sale()
    monkeypatch.setattr(lifecycle.joining, "_holder_of", lambda member: None)
    with without_constraint(Membership, "one_open_membership_per_member"), pytest.raises(AssertionError, match="seed"):
        storm(share.seeds(ci=60, full=60))
