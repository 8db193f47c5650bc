"""Eight tills at once for fewer uses: each slot goes to exactly one, whatever is held, committed, released, returned
and left to run out meanwhile; in the end the value ledger says what a second, naive accounting says. Twin: who looks
first and writes afterwards, without the constraint, gives one use out twice.
"""

from __future__ import annotations

import itertools
import os
import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from django.test import Client

from membership import clock as product_clock
from membership import lifecycle
from membership.models import Member, Membership, TimelineEntry
from membership.signals import membership_changed
from perks import holding, keys, ledger, programme, redemptions, slots
from perks.models import Grant, Redemption
from tests import factories
from tests.billing.test_races import at_once
from tests.invariants import breached, without_constraint
from tests.perks.conftest import Shop, basket

pytestmark = [pytest.mark.storm, pytest.mark.django_db(transaction=True)]
RACERS = 8
REFUSALS = {"used_up", "hold_expired", "hold_released", "already_committed", "not_committed", "returned_too_much"}
LIVE = {"held", "committed"}
LINES = [
    {"id": "a", "sku": "A", "quantity": 3, "unit_amount": 3333},
    {"id": "b", "sku": "B", "quantity": 2, "unit_amount": 101},
]
OFF = {"a": (3, 500), "b": (2, 10)}  # 5 % of each line, half-up: pieces, and what was taken off


@dataclass
class Booked:
    """One redemption as a till with a pencil would keep it, from the answers alone."""

    id: str
    limited: bool
    discounted: bool
    expires_at: datetime
    status: str = "held"
    back: dict[str, int] = field(default_factory=lambda: dict.fromkeys(OFF, 0))

    def live(self, at: datetime) -> bool:
        return self.status == "committed" or (self.status == "held" and at < self.expires_at)

    def worth(self) -> int:
        """Cents of the discount that were not given back, reckoned in one go from all the pieces."""
        if not self.discounted or self.status != "committed":
            return 0
        gone = sum(Fraction(off * self.back[line], pieces) for line, (pieces, off) in OFF.items())
        return 510 - int(gone + Fraction(1, 2))


@dataclass
class Pace:
    """How long the tills waited for their answers, in ms by verb, all eight asking at once. Told, not judged: it
    depends on the machine and on what else it does."""

    waits: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def timed(self, verb: str, act: Callable[[], Any]) -> Callable[[], Any]:
        def run() -> Any:
            began = time.perf_counter()
            answer = act()
            self.waits[verb].append((time.perf_counter() - began) * 1000)
            return verb, answer

        return run

    def __str__(self) -> str:
        told = []
        for verb, waits in self.waits.items():
            waits.sort()
            p50, p99 = waits[len(waits) // 2], waits[len(waits) * 99 // 100]
            told.append(f"{len(waits)} × {verb}: p50 {p50:.0f} ms, p99 {p99:.0f} ms")
        return "; ".join(told)


@dataclass
class Round:
    """A member with a few uses, and the tills that race for them."""

    seed: int
    key: str
    member: Member
    uses: int
    pace: Pace = field(default_factory=Pace)
    book: dict[str, Booked] = field(default_factory=dict)
    serial: itertools.count[int] = field(default_factory=itertools.count)

    def till(self) -> Shop:
        shop = Shop(Client(), self.key)
        shop.keys = itertools.count(next(self.serial) * 1000)
        return shop

    def check(self) -> Any:
        asked = {"number": self.member.number}
        return self.till().check(member=asked, basket=basket(lines=LINES), perks=["concierge", "standing-discount"])

    def left(self) -> int:
        return int(self.check()["decisions"][0]["uses_left"])

    def live(self) -> int:
        now = product_clock.now()
        return sum(booked.limited and booked.live(now) for booked in self.book.values())

    def holds(self, perks: list[str], seconds: int) -> Callable[[], Any]:
        till, check = self.till(), self.check()
        key = f"{self.seed}-{next(self.serial)}"
        return self.pace.timed("hold", lambda: till.ask_to_hold(check, *perks, key=key, hold_seconds=seconds))

    def tells(self, verb: str, booked: Booked) -> Callable[[], Any]:
        till = self.till()
        return self.pace.timed(verb, lambda: till.call("POST", f"/redemptions/{booked.id}/{verb}"))

    def gives_back(self, booked: Booked, lines: dict[str, int]) -> Callable[[], Any]:
        till, key = self.till(), f"{self.seed}-{next(self.serial)}"
        return self.pace.timed("return", lambda: till.ask_to_return({"id": booked.id}, key=key, **lines))

    def some_act(self, rng: random.Random) -> Callable[[], Any]:
        perks = rng.choice([["concierge"], ["concierge", "standing-discount"], ["standing-discount"]])
        hold = self.holds(perks, rng.choice([60, 600, 1800])) if self.left() else None
        booked = rng.choice(list(self.book.values())) if self.book else None
        if booked is None or (hold is not None and rng.random() < 0.35):
            return hold or self.holds(["standing-discount"], 60)
        if booked.status == "committed" and rng.random() < 0.7:
            return self.gives_back(booked, rng.choice([{"a": 1}, {"b": 1}, {"a": 2, "b": 1}, {}]))
        return self.tells(rng.choice(["commit", "commit", "release"]), booked)


def enter(of: Round, outcome: Any) -> bool:
    """Keep the book by one answer. -> whether it was a yes."""
    assert not isinstance(outcome, Exception), f"seed {of.seed}: {outcome!r}"
    verb, response = outcome
    told = response.json()
    if response.status_code != 200:
        assert told["code"] in REFUSALS, f"seed {of.seed}: {told}"
        return False
    if verb == "hold":
        perks = {use["perk"] for use in told["perks"]}
        until = datetime.fromisoformat(told["expires_at"])
        of.book[told["id"]] = Booked(told["id"], "concierge" in perks, "standing-discount" in perks, until)
    return True


def read_again(of: Round) -> None:
    """What became of each, as the API tells it: answers of one wave come in no order."""
    for booked in of.book.values():
        told = of.till().read({"id": booked.id})
        booked.status = told["status"]
        booked.back = {line["id"]: line["returned"] for line in told["lines"]}


def race(of: Round) -> None:
    """Eight at once for what is left: exactly so many get one."""
    free = of.left()
    if not free:
        return
    outcomes = at_once(*[of.holds(["concierge"], 600) for _racer in range(RACERS)])
    won = sum([enter(of, outcome) for outcome in outcomes])
    assert won == free, f"seed {of.seed}: {won} of {RACERS} got {free} uses"


def one_round(seed: int, key: str, clock: Any, pace: Pace) -> Round:
    rng = random.Random(seed)
    of = Round(seed, key, *somebody(seed, rng.choice([1, 2, 3, 5])), pace)
    race(of)
    for _wave in range(3):
        acts = [of.some_act(rng) for _act in range(RACERS)]
        *outcomes, swept = at_once(*acts, lambda: redemptions.sweep(at=product_clock.now()))
        assert isinstance(swept, int), f"seed {seed}: {swept!r}"
        for outcome in outcomes:
            enter(of, outcome)
        read_again(of)
        settled(of)
        clock.move(seconds=rng.choice([1, 59, 60, 600, 1800]))
        race(of)
        read_again(of)
        settled(of)
    return of


def settled(of: Round) -> None:
    """No slot twice, never more uses than the allowance, and the next check knows."""
    live = Redemption.objects.filter(member=of.member, slot__isnull=False, status__in=LIVE)
    taken = list(live.values_list("slot", flat=True))
    assert len(taken) == len(set(taken)), f"seed {of.seed}: slots {sorted(taken)}"
    assert of.live() <= of.uses, f"seed {of.seed}: {of.live()} uses of {of.uses}"
    assert of.left() == of.uses - of.live(), f"seed {of.seed}: a check tells {of.left()} left of {of.uses}"
    expected = sum(booked.worth() for booked in of.book.values())
    span = {"since": product_clock.now() - timedelta(days=1), "until": product_clock.now() + timedelta(days=1)}
    told = {saving.perk: saving.worth for saving in ledger.savings(member=of.member, **span)}
    assert told.get("standing-discount", 0) == expected, f"seed {of.seed}: the ledger tells {told}, not {expected}"
    tell_the_same_story(of)


ENDS = {"committed": {"perk.used"}, "returned": {"perk.used"}, "released": {"perk.released"}, "held": set()}


def tell_the_same_story(of: Round) -> None:
    """What became of each hold stands in the member's story, and nothing else does; the sweep may not have been."""
    entries = TimelineEntry.objects.filter(member=of.member, kind__startswith="perk.").exclude(kind="perk.returned")
    for booked in of.book.values():
        told = set(entries.filter(source_ref=booked.id).values_list("kind", flat=True))
        as_it_was = told <= {"perk.expired"} if booked.status == "expired" else told == ENDS[booked.status]
        assert as_it_was, f"seed {of.seed}: {booked} is told of as {told}"


def opened(clock: Any) -> str:
    """The demo's programme, and a shop. -> its key"""
    programme.load(programme=programme.read("laurel"), at=clock.now)
    return keys.create(shop_name="Loden & Sons", scopes=list(keys.SCOPES), at=clock.now, actor="test")


def somebody(seed: int, uses: int) -> tuple[Member, int]:
    """A gold member who paid in cash, and may ask the concierge so often."""
    at, plan = product_clock.now(), factories.plan("gold-year")
    member = factories.member(f"Person {seed}", at=at)
    membership = lifecycle.reserve(member=member, plan=plan, currency="EUR", at=at, actor="staff:1")
    lifecycle.add_term(
        membership=membership, source="offline", source_ref=f"cash:{seed}", plan=plan, at=at, actor="staff:1"
    )
    for grant in Grant.objects.filter(membership=membership, perk__code="concierge", term__isnull=False):
        grant.settings = {**grant.settings, "allowance": {"uses": uses, "every": "term", "carry_over": False}}
        grant.save()
    membership_changed.send(sender=Membership, membership=Membership.objects.with_facts().get(member=member), at=at)
    return member, uses


def storm(seeds: range, clock: Any) -> Pace:
    key, pace = opened(clock), Pace()
    for seed in seeds:
        one_round(seed, key, clock, pace)
    return pace


def test_each_use_goes_to_one_till_and_the_ledger_adds_up(clock, share, capsys):
    pace = storm(share.seeds(ci=15, full=430), clock)
    with capsys.disabled():
        print(f"\n{pace}; load {os.getloadavg()[0]:.1f}")
    assert breached() == set()


def test_the_constraint_alone_keeps_the_slots(clock, share, monkeypatch):
    """Where no lock lets the tills pass one by one, the database still gives each slot out once."""
    monkeypatch.setattr(Membership.objects._queryset_class, "select_for_update", lambda self: self)
    key = opened(clock)
    for seed in share.seeds(ci=20, full=500):
        race(Round(seed, key, *somebody(seed, 1 + seed % 3)))


def test_who_looks_first_and_writes_afterwards_gives_one_use_out_twice(clock, share, monkeypatch):
    looked, promises = threading.local(), holding._promises

    def looks(asked: holding.Asked, at: datetime) -> Any:
        found = promises(asked, at)
        live = Redemption.objects.filter(member__decisions=asked.check, status__in=LIVE, slot__isnull=False)
        looked.free = live.count() + 1
        return found

    monkeypatch.setattr(holding, "_promises", looks)
    monkeypatch.setattr(slots, "free", lambda purse: looked.free if looked.free <= purse.uses else None)
    with (
        without_constraint(Redemption, "one_live_redemption_per_slot"),
        pytest.raises(AssertionError, match="seed"),
    ):
        storm(share.seeds(ci=40, full=40), clock)
