"""The fold: reads of one membership's subscription, taken at every stage of its life, folded in every order and any
number of times, end in one state. Twin: with the guard against older reads off, the last one folded wins.

Every order is covered, though not each is played (fold_map.py says why that is the same); some are played beside, and
must have come where the map says, and some on PostgreSQL, one by one. A read is folded while its worker lives, minutes
at most: so in no life here a scheduled end that was taken back comes to pass, which a read from before would carry out.
"""

from __future__ import annotations

import dataclasses
import itertools
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from billing import gateway, sync
from billing.emulator import disputes, store, timeline
from billing.models import Dispute, Invoice, InvoiceLine, Payment, Refund, StripePrice, Subscription
from membership import clock as product_clock
from membership.models import Membership, Status, Stop, Term, TierChange
from tests.billing.conftest import go_to_pay, pay
from tests.storms import fold_map
from tests.storms.people import put_on_sale, somebody, tab_of

pytestmark = [pytest.mark.storm, pytest.mark.django_db]
the_map_knows_rows_by_their_ids = pytest.mark.skipif(
    connection.vendor != "sqlite",
    reason="PostgreSQL does not roll serials back: there, some orders are played one by one",
)

GOAL = 200_000  # orders
A_YEAR = {"days": 365, "minutes": 5}  # into the draft hour


class Life:
    """A membership at Stripe that we hear nothing of; `reads` holds what a read at each stage would have seen."""

    def __init__(self, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock, self.patch = clock, monkeypatch
        self.reads: list[sync.Read] = []
        put_on_sale()
        pay(go_to_pay(tab_of(somebody("Ada")), "silver-year"))
        self.id = store.of("subscription").get().stripe_id
        self.api = gateway.client().v1
        self.read()

    def read(self) -> None:
        def keep(membership: Membership, read: sync.Read, actor: str) -> bool:
            self.reads.append(read)
            return True

        with self.patch.context() as patch:
            patch.setattr(sync, "_fold", keep)
            sync.subscription(self.id)

    def cancel(self, at_period_end: bool) -> None:
        self.api.subscriptions.update(self.id, {"cancel_at_period_end": at_period_end})
        self.read()

    def charge(self) -> Any:
        return self.api.charges.list({"limit": 1}).data[0]

    def refund(self, amount: int) -> None:
        self.api.refunds.create({"charge": self.charge().id, "amount": amount})
        self.read()

    def moves_to(self, plan: str) -> None:
        item = self.api.subscriptions.retrieve(self.id).to_dict()["items"]["data"][0]["id"]
        price = StripePrice.objects.get(price__plan__code=plan, price__currency="EUR").stripe_id
        change = {"items": [{"id": item, "price": price}], "proration_behavior": "always_invoice"}
        self.api.subscriptions.update(self.id, change)
        self.read()

    def gets_a_card(self, token: str) -> None:
        customer = str(self.api.subscriptions.retrieve(self.id).customer)
        card = self.api.payment_methods.attach(token, {"customer": customer}).id
        self.api.subscriptions.update(self.id, {"default_payment_method": card})

    def pay(self) -> None:
        self.api.invoices.pay(self.api.invoices.list({"status": "open"}).data[0].id)
        self.read()

    def wait(self, **by: float) -> None:
        self.clock.move(**by)
        timeline.catch_up()
        self.read()


def changed_mind(life: Life) -> None:
    life.cancel(True)
    life.cancel(False)
    life.refund(500)


def renewed(life: Life) -> None:
    life.wait(**A_YEAR)
    life.wait(hours=2)
    life.refund(700)


def left(life: Life) -> None:
    life.refund(300)
    life.cancel(True)
    life.wait(days=366)


def rose(life: Life) -> None:
    life.clock.move(days=100)
    life.moves_to("gold-year")
    life.cancel(True)
    life.cancel(False)


def rose_and_renewed(life: Life) -> None:
    life.clock.move(days=100)
    life.moves_to("gold-year")
    life.wait(days=265, minutes=5)  # into the draft hour
    life.wait(hours=2)
    life.refund(700)


def paid_late(life: Life) -> None:
    life.gets_a_card("pm_card_chargeCustomerFail")
    life.wait(**A_YEAR)
    life.wait(hours=2)
    life.wait(days=5)
    life.gets_a_card("pm_card_visa")
    life.pay()


def never_paid(life: Life) -> None:
    life.gets_a_card("pm_card_chargeCustomerFail")
    life.wait(days=366)
    life.wait(days=4)
    life.wait(days=60)


def contested(life: Life, decide: Callable[[str], object]) -> None:
    life.clock.move(days=30)
    dispute = disputes.open_on(life.charge().id)
    life.read()
    life.cancel(True)
    decide(life.api.disputes.list({"limit": 1}).data[0].id if dispute else "")
    life.read()


def won(life: Life) -> None:
    contested(life, disputes.win)


def lost(life: Life) -> None:
    contested(life, disputes.lose)


def got_all_back(life: Life) -> None:
    life.refund(500)
    life.refund(life.charge().amount - 500)
    life.cancel(True)


LIVES: dict[str, Callable[[Life], None]] = {
    act.__name__: act
    for act in (changed_mind, renewed, left, rose, rose_and_renewed, paid_late, never_paid, won, lost, got_all_back)
}


def state() -> dict[str, Any]:
    """All that money and standing follow from.

    Letters and the timeline may tell of a stage or pass it over, and so may what we mean to ask of Stripe (Operations:
    each is asked against what stands there by then). So may a stop on what has ended: that is asked of no stop any more
    (standing.at), and whether it was contested first is a matter of when it was heard of.
    """
    of = {
        Membership: ("status", "plan", "entitled_until", "renewal_expected", "end_reason", "cut_at"),
        Term: ("plan", "source", "source_ref", "starts_at", "ends_at"),
        TierChange: ("source_ref", "from_plan", "to_plan", "changed_at"),
        Subscription: ("stripe_id", "status", "price", "cancel_at_period_end", "cancel_at", "current_period_end"),
        Invoice: ("stripe_id", "status", "amount_paid", "amount_due", "paid_at"),
        InvoiceLine: ("stripe_id", "amount", "buys_time", "changes_plan"),
        Payment: ("stripe_id", "captured", "returned", "disputed"),
        Refund: ("stripe_id", "state", "amount", "effect"),
        Dispute: ("stripe_id", "status"),
    }
    told = {model.__name__: sorted(model.objects.values_list(*fields), key=str) for model, fields in of.items()}
    holding = Stop.objects.filter(lifted_at=None).exclude(membership__status=Status.ENDED)
    return told | {"Stop": sorted(holding.values_list("source", "source_ref"))}


@pytest.fixture
def make_life(db, clock, monkeypatch) -> Callable[[str], Life]:
    def make(name: str) -> Life:
        life = Life(clock, monkeypatch)
        LIVES[name](life)
        return life

    return make


def folded(membership: Membership, order: list[sync.Read]) -> tuple[fold_map.State, dict[str, Any]]:
    """Everything, and what is compared, after folding in this order; then all is as it was."""
    with transaction.atomic():
        for read in order:
            fold_map.fold(membership, read)
        after = fold_map.everything(), state()
        transaction.set_rollback(True)
    return after


def differing(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """What only one of the two has, of each kind."""
    return {
        kind: ([row for row in one[kind] if row not in rows], [row for row in rows if row not in one[kind]])
        for kind, rows in other.items()
        if one[kind] != rows
    }


@the_map_knows_rows_by_their_ids
@pytest.mark.parametrize("name", LIVES)
def test_every_order_with_any_duplicates_has_one_end(make_life, name):
    life = make_life(name)
    membership, numbers = Membership.objects.get(), list(range(len(life.reads)))
    with fold_map.without_chance():
        made = fold_map.explored(membership, life.reads, state)
        as_it_was = made.told[made.after(numbers)]
        other = made.first_order_with_another_end(as_it_was)
        assert other is None, f"{other}, then in order: {differing(made.told[made.after(other)], as_it_was)}"
        assert fold_map.orders(len(numbers)) >= GOAL
        for seed in range(5):
            order = random.Random(seed).choices(numbers, k=12)
            came_to, _told = folded(membership, [life.reads[n] for n in order])
            assert came_to == made.after(order), f"{order} comes elsewhere than the map says"


@pytest.mark.parametrize("name", LIVES)
def test_some_orders_on_either_database_have_one_end(make_life, name):
    reads = make_life(name).reads
    membership, ends = Membership.objects.get(), []
    for seed in range(8):
        rng = random.Random(seed)
        order = rng.sample(reads, len(reads)) + rng.choices(reads, k=3)
        ends.append(folded(membership, order)[1])
        assert differing(ends[-1], ends[0]) == {}, f"seed {seed}"


def test_twin_with_the_guard_against_older_reads_off_orders_differ(make_life):
    """Each read claims to be newer than the one folded before it."""
    life = make_life("changed_mind")
    membership, start = Membership.objects.get(), product_clock.wall() + timedelta(days=1)
    ends = []
    for order in itertools.permutations(life.reads):
        newest = [dataclasses.replace(read, began=start + timedelta(seconds=n)) for n, read in enumerate(order)]
        ends.append(folded(membership, newest)[1])
        if ends[-1] != ends[0]:
            return
    pytest.fail("every order has the same end")


@pytest.mark.parametrize("name", LIVES)
def test_the_reads_differ(make_life, name):
    """Or the storm would shuffle nothing."""
    reads = make_life(name).reads
    assert len({str(dataclasses.replace(read, began=fold_map.AT)) for read in reads}) == len(reads)
