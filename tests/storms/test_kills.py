"""Hundreds of workers killed with -9: nothing is lost, nothing doubled, whatever they had in hand.

A crowd joins without coming back, is told of its renewal, renews; half of it loses a dispute, the other half is given
something back while Stripe is silent. Everything is left to the workers, and they are killed all the time.
"""

from __future__ import annotations

import io
import time
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command

from billing.emulator import delivery, faults, idempotency, timeline
from billing.models import Operation, StripeEvent
from membership import card_pdf, work
from membership.models import Membership, Message, Term, TimelineEntry
from tests.billing.conftest import on_sale  # noqa: F401  (a fixture)
from tests.invariants import breached
from tests.storms import kills
from tests.storms.kills import Workers
from tests.storms.test_crashes import done_before_it_is_handled
from tests.storms.world import World

if TYPE_CHECKING:
    from tests.moment import Clock

pytestmark = [pytest.mark.storm, pytest.mark.processes, pytest.mark.django_db(transaction=True)]
CROWD = 12


@pytest.fixture
def workers(tmp_path, clock, settings, monkeypatch, request):
    settings.WORK_LEASE = 2  # seconds: what a dead one held is taken up soon
    monkeypatch.setattr(idempotency, "ABANDONED", 1.0)  # the same at Stripe
    monkeypatch.setattr(card_pdf, "render", lambda card, *, at: b"%PDF-1.7")
    made = Workers(tmp_path, clock, request.config.getoption("--seed") or 1)
    yield made
    made.end()


class Crowd:
    """Some people who do the same things at the same time."""

    def __init__(self, clock: Clock, number: int) -> None:
        self.clock = clock
        self.people = [World(clock, seed=number * CROWD + n) for n in range(CROWD)]
        self.unlucky, self.lucky = self.people[: CROWD // 2], self.people[CROWD // 2 :]

    def joins(self) -> None:
        for one in self.people:
            one.joins("gold-year", comes_back=False)
        self.post_comes()

    def post_comes(self) -> None:
        """All events reach the inbox; none is worked off."""
        timeline.catch_up()
        for row in self.people[0].post._waiting():
            assert delivery.deliver(row, self.people[0].post._post)

    def lives_on_to(self, days: float) -> None:
        """So many days after this crowd has joined."""
        mine = Term.objects.filter(membership__member__in=[one.member for one in self.people])
        began = min(mine.values_list("starts_at", flat=True))
        self.clock.move_to(max(self.clock.now, began + timedelta(days=days)))
        self.post_comes()

    def loses_a_dispute_or_gets_some_back(self) -> None:
        for one in self.unlucky:
            one.disputes_the_charge()
        self.post_comes()
        for one in self.unlucky:
            one.dispute_is_decided(won=False)
        self.post_comes()
        asked: dict[str, Any] = {"basis": "goodwill", "amount": "20.00", "reason": "late", "actor": "staff:3"}
        for one in self.lucky:
            silent = faults.next_call("POST /v1/refunds", lost="request", times=10)
            with silent, pytest.raises(CommandError):
                call_command("refund", one.member.number, **asked, yes=True, stdout=io.StringIO())


def live_under_kills(workers: Workers, crowd: Crowd) -> None:
    """A year of a crowd. Each chapter is over when nothing of it is left to do."""
    crowd.joins()
    workers.work()
    for days in (331, 359, 366.2):  # a year may have a leap day
        crowd.lives_on_to(days)
        workers.work()
    crowd.loses_a_dispute_or_gets_some_back()
    workers.work()


def story(one: World) -> str:
    """What became of a person here, what Stripe has to show, and what was heard of it: for the report of a failure."""
    told = TimelineEntry.objects.filter(member=one.member).order_by("pk").values_list("at", "kind", "actor")
    ledger = one.ledger()
    shown = {i["id"]: (i["status"], i["created"]) for i in ledger["invoices"]}
    shown |= {s["id"]: (s["status"], s["canceled_at"]) for s in ledger["subscriptions"]}
    heard = StripeEvent.objects.filter(object_id__in=shown).order_by("pk")
    columns = ("type", "object_id", "received_at", "done_at", "attempts", "last_error", "parked_reason")
    return "\n".join(map(str, [*told, *shown.items(), *heard.values_list(*columns)]))


def check(crowd: Crowd) -> None:
    """Everything once: in our rows, and at Stripe."""
    for one in crowd.people:
        ended = one in crowd.unlucky
        membership = Membership.objects.get(member=one.member)
        assert (membership.status, membership.terms.count()) == ("ended" if ended else "active", 2), story(one)
        written = Counter(Message.objects.filter(member=one.member).values_list("kind", flat=True))
        more = {} if ended else {"refund": 1}
        assert written == {"welcome": 1, "receipt": 2, "renewal_notice": 2, **more}
        ledger = one.ledger()
        assert [i["status"] for i in ledger["invoices"]] == ["paid", "paid"]
        assert sorted(c["amount_refunded"] for c in ledger["charges"]) == ([0, 0] if ended else [0, 2000])
        assert [s["status"] for s in ledger["subscriptions"]] == ["canceled" if ended else "active"]


def nothing_is_left() -> None:
    assert not StripeEvent.objects.exclude(done_at__isnull=False, parked_reason="").exists()
    assert not Message.objects.filter(done_at=None).exists()
    assert not Operation.objects.exclude(state=Operation.State.DONE).exists()
    assert breached() == set()


def test_killed_workers_lose_and_double_nothing(on_sale, workers, clock, share):  # noqa: F811
    goal, crowds = share.of(ci=400, full=10_000), 0
    while workers.kills < goal:
        crowds += 1
        crowd = Crowd(clock, crowds)
        live_under_kills(workers, crowd)
        check(crowd)
        workers.check_mails()
    nothing_is_left()
    print(f"{workers.kills} kills, {crowds} crowds of {CROWD}, {Message.objects.count()} letters")


# --- twins: with a defence off it must fail, or the storm proves nothing ----------------------------------------------


def dawdle(rows: Any) -> None:
    """Long enough over a letter for another worker, or for death, to come between; however slow the machine is."""
    time.sleep(0.5 if rows.model is Message else 0.02)


def nobody_claims(rows: Any, pk: Any, handle: Any, *, at: Any) -> bool:
    """Work that two may have in hand: looked at and then done, without a claim."""
    if not work.due(rows, at=at).filter(pk=pk).exists():
        return False
    handle(rows.get(pk=pk))
    dawdle(rows)
    return bool(rows.filter(pk=pk).update(done_at=at))


def some_joining(workers: Workers, clock: Clock) -> None:
    crowd = Crowd(clock, 1)
    crowd.joins()
    workers.work()
    workers.check_mails()
    assert Term.objects.count() == CROWD


def done_too_early(rows: Any, pk: Any, handle: Any, *, at: Any) -> bool:
    """Work as a queue without acknowledgement does it, and slowly."""

    def slowly(row: Any) -> None:
        dawdle(rows)
        handle(row)

    return done_before_it_is_handled(rows, pk, slowly, at=at)


def test_twin_work_that_is_done_before_it_is_handled_is_lost(on_sale, workers, clock, monkeypatch):  # noqa: F811
    monkeypatch.setattr(work, "run_one", done_too_early)
    with pytest.raises(AssertionError):
        some_joining(workers, clock)


def test_twin_work_that_nobody_claims_is_doubled(on_sale, workers, clock, monkeypatch):  # noqa: F811
    monkeypatch.setattr(work, "run_one", nobody_claims)
    monkeypatch.setattr(kills, "LIFE", 3.0)  # long enough for both to come to the same row
    with pytest.raises(AssertionError, match="again"):
        some_joining(workers, clock)
