"""Two tabs change the plan at once; and the same with the defence off, which must fail."""

from __future__ import annotations

import threading

import pytest
from django.test import Client

from billing import plan_change, plan_quotes
from billing.models import Invoice, Operation, PlanQuote
from membership.models import TierChange
from tests.billing.changing import ask
from tests.billing.conftest import half_way_through
from tests.billing.test_races import at_once
from tests.invariants import breached_once_worked_off, without_constraint

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 3


@pytest.fixture
def bronze(visitor, clock):
    """Ada, half way through a year of bronze (€ 29)."""
    return half_way_through(visitor, clock, "bronze-year")


def press(visitor, address: str):
    tab = Client()
    tab.cookies = visitor.cookies
    return lambda: tab.post(address)


def charged() -> list[int]:
    changes = Invoice.objects.filter(billing_reason="subscription_update", status="paid")
    return sorted(changes.values_list("amount_paid", flat=True))


@pytest.fixture
def both_have_asked(monkeypatch):
    """Nobody charges before both have seen that the facts are still those of their quotes: the worst moment."""
    meeting, asked = threading.Barrier(2), plan_quotes.ask

    def ask_and_wait(*args):
        answer = asked(*args)
        try:
            meeting.wait(3)
        except threading.BrokenBarrierError:
            meeting.reset()
        return answer

    def arm() -> None:
        monkeypatch.setattr(plan_quotes, "ask", ask_and_wait)

    return arm


class TestTheSameQuoteInTwoTabs:
    def test_is_charged_once(self, bronze, both_have_asked):
        address = ask(bronze, "gold-year")
        both_have_asked()
        answers = at_once(press(bronze, address), press(bronze, address))
        assert not [a for a in answers if isinstance(a, Exception)]
        assert charged() == [PlanQuote.objects.get().due] == [4500]
        assert Operation.objects.filter(kind="change_plan").count() == TierChange.objects.count() == 1
        assert breached_once_worked_off() == set()


class TestTwoQuotesInTwoTabs:
    def test_charge_one_of_them_and_show_the_other_anew(self, bronze, both_have_asked):
        silver, gold = ask(bronze, "silver-year"), ask(bronze, "gold-year")
        both_have_asked()
        answers = at_once(press(bronze, silver), press(bronze, gold))
        assert not [a for a in answers if isinstance(a, Exception)]
        done = PlanQuote.objects.get(state="done")
        assert charged() == [done.due]
        assert TierChange.objects.get().to_plan == done.price.plan
        assert breached_once_worked_off() == set()

    def test_with_the_defence_off_charge_both(self, bronze, both_have_asked, monkeypatch):
        monkeypatch.setattr(plan_change, "_clear_the_way", lambda quote, at: None)
        silver, gold = ask(bronze, "silver-year"), ask(bronze, "gold-year")
        both_have_asked()
        with without_constraint(PlanQuote, "one_plan_change_at_a_time"):
            at_once(press(bronze, silver), press(bronze, gold))
            assert len(charged()) == 2


class TestAnUpgradeAndADowngradeInTwoTabs:
    def test_end_with_what_was_charged_held(self, bronze, clock):
        bronze.post(ask(bronze, "silver-year"))
        for _round in range(ROUNDS):
            address = ask(bronze, "gold-year")
            answers = at_once(press(bronze, address), press(bronze, "/portal/change-plan/bronze-year/"))
            assert not [a for a in answers if isinstance(a, Exception)]
            if charged() == [1500, 3000]:
                break
        held = TierChange.objects.latest("pk").to_plan.code
        assert (held == "gold-year") == (charged() == [1500, 3000])
        assert breached_once_worked_off() == set()
