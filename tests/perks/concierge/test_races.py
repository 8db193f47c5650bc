"""Two clerks reach for one request, a member for the last of the allowance; and the same with the defence off."""

from __future__ import annotations

import contextlib
import threading

import pytest
from django.db.models import Q

from membership.models import AuditEntry
from perks import slots
from perks.concierge import answering, asking
from perks.house_uses import NotAllowed
from perks.models import ConciergeRequest, Redemption
from tests.billing.test_races import at_once
from tests.console import clerks
from tests.invariants import without_constraint
from tests.perks.redeeming import wrong

pytestmark = pytest.mark.django_db(transaction=True)


def asks(member, at, subject: str = "A coat"):
    return lambda: asking.ask(member=member, subject=subject, text="Please.", at=at)


def claims(request, held, at):
    return lambda: answering.claim(request=request, staff=held, at=at)


class TestTwoClerks:
    @pytest.fixture
    def request_(self, joined, clock):
        return asking.ask(member=joined().member, subject="A coat", text="Please.", at=clock.now)

    def test_at_once_one_has_it(self, request_, clock):
        held = [clerks.hired(name=name) for name in ("Vik Rao", "Mara Voss", "Lou Bern")]
        answers = at_once(*[claims(request_, one, clock.now) for one in held])
        assert sorted(type(a).__name__ for a in answers) == ["NoneType", "Taken", "Taken"]
        winner = held[answers.index(None)]
        assert ConciergeRequest.objects.get().claimed_by == winner
        assert AuditEntry.objects.get(verb="claim_request").actor == winner.actor

    def test_twin_without_the_condition_both_believe_they_have_it(self, request_, clock, monkeypatch):
        monkeypatch.setattr(answering, "FREE", Q())
        held = [clerks.hired(name=name) for name in ("Vik Rao", "Mara Voss")]
        assert at_once(*[claims(request_, one, clock.now) for one in held]) == [None, None]
        assert AuditEntry.objects.filter(verb="claim_request").count() == 2


class TestTheLastOfTheAllowance:
    def test_is_one_requests(self, two_uses, clock):
        member = two_uses.member
        asking.ask(member=member, subject="first", text="Please.", at=clock.now)
        answers = at_once(*[asks(member, clock.now)] * 3)
        assert sorted(type(a).__name__ for a in answers) == ["ConciergeRequest", "NotAllowed", "NotAllowed"]
        assert {a.reason for a in answers if isinstance(a, NotAllowed)} == {"used_up"}
        assert (ConciergeRequest.objects.count(), wrong()) == (2, set())

    def test_twin_without_the_slots_it_is_given_twice(self, two_uses, clock, monkeypatch):
        member, meeting = two_uses.member, threading.Barrier(2)

        def free(purse):
            with contextlib.suppress(threading.BrokenBarrierError):
                meeting.wait(0.3)
            return 1  # as who cannot see the other's

        with without_constraint(Redemption, "one_live_redemption_per_slot"):
            monkeypatch.setattr(slots, "free", free)
            at_once(*[asks(member, clock.now)] * 2)
            assert Redemption.objects.filter(slot=1).count() == 2
            assert "I6" in wrong()
