"""Calls whose outcome nobody knows: each is ended, and nothing is ever made twice."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing import janitor, nets, operations
from billing.emulator import checkout_pay, faults
from billing.emulator.models import IdempotencyKey, Record
from billing.models import CheckoutSession, Customer, Operation
from membership import clock as product_clock
from membership.models import Membership
from tests.billing.conftest import come_back, go_to_pay, pay
from tests.invariants import breached

pytestmark = pytest.mark.django_db(transaction=True)
CUSTOMERS, PAGES = "POST /v1/customers", "POST /v1/checkout/sessions"
FAULTS = {
    "the request was lost": {"lost": "request"},
    "the answer was lost": {"lost": "answer"},
    "an error of Stripe's": {"status": 500},
    "too many requests": {"status": 429},
}


@pytest.fixture(params=FAULTS)
def fault(request) -> dict:
    return FAULTS[request.param]


def press_in_vain(visitor, line: str, fault: dict) -> None:
    with faults.next_call(line, times=9, **fault):
        assert visitor.post("/checkout/gold-year/", {"agree": "on"}).status_code == 503


def at_stripe(kind: str) -> int:
    return Record.objects.filter(kind=kind).count()


def forget_keys() -> None:
    """A day later Stripe may have forgotten every key; nobody may rely on one."""
    IdempotencyKey.objects.all().delete()
    Operation.objects.update(key_good_until=product_clock.wall() - timedelta(seconds=1))


class TestWhileTheKeyIsGood:
    @pytest.mark.parametrize(("line", "kind"), [(CUSTOMERS, "customer"), (PAGES, "checkout.session")])
    def test_the_same_call_is_repeated_and_makes_one(self, visitor, clock, fault, line, kind):
        press_in_vain(visitor, line, fault)
        clock.move(minutes=6)
        assert janitor.look_after(at=clock.now) == 1
        assert not Operation.objects.exclude(state="done").exists()
        assert at_stripe(kind) == 1
        pay(go_to_pay(visitor))
        come_back(visitor)
        assert (at_stripe("customer"), at_stripe("checkout.session")) == (1, 1)
        assert Membership.objects.get().status == "active"
        assert breached() == set()

    def test_not_before_five_minutes(self, visitor, clock):
        press_in_vain(visitor, CUSTOMERS, {"lost": "answer"})
        clock.move(minutes=4)
        assert janitor.look_after(at=clock.now) == 0

    def test_a_process_that_died_before_its_call_is_finished(self, ada, clock):
        params = {"email": ada.user.email, "metadata": {"member": str(ada.pk)}}
        operations.note(key=f"customer:{ada.pk}", kind="customer", params=params, member=ada)
        clock.move(minutes=6)
        janitor.look_after(at=clock.now)
        assert Customer.objects.get(member=ada).stripe_id == Operation.objects.get().stripe_id

    def test_one_that_died_after_the_answer_was_kept_makes_no_second_customer(self, visitor, clock):
        go_to_pay(visitor)
        CheckoutSession.objects.update(stripe_id=None, url="")
        Customer.objects.all().delete()
        forget_keys()
        pay(go_to_pay(visitor))
        assert (at_stripe("customer"), at_stripe("checkout.session")) == (1, 1)


class TestWhenTheKeyMayBeForgotten:
    def test_a_customer_whose_answer_was_lost_is_found(self, visitor, clock):
        press_in_vain(visitor, CUSTOMERS, {"lost": "answer"})
        forget_keys()
        clock.move(days=1)
        janitor.look_after(at=clock.now)
        assert Operation.objects.get().state == "done"
        assert at_stripe("customer") == 1
        assert Customer.objects.get().stripe_id == Operation.objects.get().stripe_id

    def test_one_that_never_arrived_is_over_and_can_be_asked_for_anew(self, visitor, clock):
        press_in_vain(visitor, CUSTOMERS, {"lost": "request"})
        forget_keys()
        clock.move(days=1)
        janitor.look_after(at=clock.now)
        assert (Operation.objects.get().state, at_stripe("customer")) == ("refused", 0)
        assert pay(go_to_pay(visitor)) is checkout_pay.Outcome.PAID

    def test_nobody_asks_under_it_before_the_janitor_has_looked(self, visitor, clock):
        press_in_vain(visitor, CUSTOMERS, {"lost": "answer"})
        forget_keys()
        assert visitor.post("/checkout/gold-year/", {"agree": "on"}).status_code == 503
        assert at_stripe("customer") == 1

    def test_with_that_defense_off_there_are_two(self, visitor, clock, monkeypatch):
        press_in_vain(visitor, CUSTOMERS, {"lost": "answer"})
        forget_keys()
        Operation.objects.update(key_good_until=product_clock.wall() + timedelta(days=1))
        go_to_pay(visitor)
        assert at_stripe("customer") == 2

    def test_a_page_nobody_was_led_to_is_closed(self, visitor, clock):
        press_in_vain(visitor, PAGES, {"lost": "answer"})
        clock.move(minutes=11)
        nets.look_after_checkouts(at=clock.now)  # its row is given up
        forget_keys()
        janitor.look_after(at=clock.now)
        page = Record.objects.get(kind="checkout.session")
        assert page.data["status"] == "expired"
        assert Operation.objects.get(kind="checkout").state == "done"
        assert breached() == set()


class TestStripeKeepingSilent:
    def test_is_asked_at_an_hour_and_daily_and_parked_for_staff_meanwhile(self, visitor, clock):
        press_in_vain(visitor, CUSTOMERS, {"lost": "answer"})
        asked = Operation.objects.get().asked_at
        with (
            faults.next_call(CUSTOMERS, lost="request", times=99),
            faults.next_call("GET /v1/customers", lost="request", times=99),
        ):
            for hours, state in ((0.1, "unknown"), (1, "unknown"), (24, "parked"), (48, "parked")):
                clock.move_to(asked + timedelta(hours=hours))
                assert janitor.look_after(at=clock.now) == 1
                assert Operation.objects.get().state == state
                assert janitor.look_after(at=clock.now) == 0
        assert Operation.objects.get().error == "Stripe did not answer"
        clock.move(days=1)
        janitor.look_after(at=clock.now)
        assert Operation.objects.get().state == "done"
        assert at_stripe("customer") == 1

    def test_about_one_does_not_keep_the_others(self, visitor, ada, clock, monkeypatch):
        def stumbles(operation: Operation) -> None:
            raise ZeroDivisionError

        monkeypatch.setitem(janitor.KINDS, "poison", janitor.Kind(stumbles, stumbles))
        operations.note(key="a", kind="poison", params={})
        operations.note(key="b", kind="unheard of", params={})
        press_in_vain(visitor, CUSTOMERS, {"lost": "answer"})
        clock.move(minutes=6)
        assert janitor.look_after(at=clock.now) == 3
        assert Customer.objects.filter(member=ada).exists()
        clock.move(days=1)
        janitor.look_after(at=clock.now)
        assert sorted(Operation.objects.filter(state="parked").values_list("error", flat=True)) == [
            "ZeroDivisionError",
            "nobody here knows how to look up a unheard of",
        ]


class TestTwoWorkers:
    def test_ask_once(self, visitor, clock):
        press_in_vain(visitor, CUSTOMERS, {"lost": "answer"})
        clock.move(minutes=6)
        first, second = Operation.objects.get(), Operation.objects.get()
        assert janitor.look(first, at=clock.now)
        assert not janitor.look(second, at=clock.now)
