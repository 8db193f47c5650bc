"""The fold: reads of one membership's subscription, taken at every stage of its life, folded in every order with
duplicates, end in one state. Twin: with the guard against older reads off, the last one folded wins, and orders differ.
"""

from __future__ import annotations

import dataclasses
import itertools
import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from billing import gateway, sync
from billing.emulator import store, timeline
from billing.models import Dispute, Invoice, InvoiceLine, Payment, Refund, Subscription
from membership import clock as product_clock
from membership.models import Membership, Term
from tests.billing.conftest import go_to_pay, pay
from tests.storms.people import put_on_sale, somebody, tab_of

pytestmark = [pytest.mark.storm, pytest.mark.django_db]


class Life:
    """A membership at Stripe that we hear nothing of; `reads` holds what a read at each stage would have seen."""

    def __init__(self, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock, self.patch = clock, monkeypatch
        self.reads: list[sync.Read] = []
        put_on_sale()
        pay(go_to_pay(tab_of(somebody("Ada"))))
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

    def refund(self, amount: int) -> None:
        charge = self.api.charges.list({"limit": 1}).data[0]
        self.api.refunds.create({"charge": charge.id, "amount": amount})
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
    life.wait(days=365, minutes=5)  # the draft hour
    life.wait(hours=2)
    life.refund(700)


def left(life: Life) -> None:
    life.refund(300)
    life.cancel(True)
    life.wait(days=366)


LIVES: dict[str, Callable[[Life], None]] = {"changed mind": changed_mind, "renewed": renewed, "left": left}
MOST_DUPLICATES = 3


def state() -> dict[str, Any]:
    """All that money and standing follow from. Letters and the timeline may tell of a stage or pass it over."""
    of = {
        Membership: ("status", "entitled_until", "renewal_expected", "end_reason", "cut_at"),
        Term: ("source", "source_ref", "starts_at", "ends_at"),
        Subscription: ("stripe_id", "status", "cancel_at_period_end", "cancel_at", "current_period_end"),
        Invoice: ("stripe_id", "status", "amount_paid", "paid_at"),
        InvoiceLine: ("stripe_id", "amount", "buys_time"),
        Payment: ("stripe_id", "captured", "returned", "disputed"),
        Refund: ("stripe_id", "state", "amount", "effect"),
        Dispute: ("stripe_id", "status"),
    }
    return {model.__name__: sorted(model.objects.values_list(*fields), key=str) for model, fields in of.items()}


def folded(membership: Membership, order: tuple[sync.Read, ...]) -> dict[str, Any]:
    """The state after folding in this order; then everything is as it was."""
    with transaction.atomic():
        for read in order:
            sync._fold(membership, read, sync.ACTOR)
        after = state()
        transaction.set_rollback(True)
    return after


def orders(reads: list[sync.Read], most: int, rng: random.Random) -> Iterator[tuple[sync.Read, ...]]:
    """Every order of the reads, then orders with duplicates, as many as `most`. The newest is always among them."""
    every = list(itertools.permutations(reads))
    yield from every[:most]
    for _more in range(most - len(every)):
        drawn = reads + rng.choices(reads, k=rng.randint(1, MOST_DUPLICATES))
        rng.shuffle(drawn)
        yield tuple(drawn)


@pytest.fixture
def make_life(db, clock, monkeypatch) -> Callable[[str], Life]:
    def make(name: str) -> Life:
        life = Life(clock, monkeypatch)
        LIVES[name](life)
        return life

    return make


def storm(life: Life, most: int, seed: int, before: Callable[[tuple[sync.Read, ...]], Any] = tuple) -> None:
    membership = Membership.objects.get()
    expected = folded(membership, before(tuple(life.reads)))
    for n, order in enumerate(orders(life.reads, most, random.Random(seed))):
        after = folded(membership, before(order))
        numbers = [life.reads.index(read) for read in order]
        assert after == expected, f"seed {seed}, order {n} {numbers}: another end than in order"


@pytest.mark.parametrize("name", LIVES)
def test_every_order_with_duplicates_has_one_end(make_life, share, name):
    life = make_life(name)
    for seed in share.seeds(ci=1, full=60):
        storm(life, share.of(ci=30, full=1200), seed)


def test_with_the_guard_against_older_reads_off_it_has_not(make_life, share):
    """Each read claims to be newer than the one folded before it."""

    def as_if_newest(order: tuple[sync.Read, ...]) -> Any:
        start = product_clock.wall() + timedelta(days=1)
        return [dataclasses.replace(read, began=start + timedelta(seconds=n)) for n, read in enumerate(order)]

    life = make_life("changed mind")
    with pytest.raises(AssertionError, match="another end"):
        storm(life, 30, 1, before=as_if_newest)


def test_the_reads_differ(make_life):
    """Or the storm would shuffle nothing."""
    life = make_life("renewed")
    assert len({str(read.invoices) + str(read.subscription) for read in life.reads}) >= 3
