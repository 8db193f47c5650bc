"""Return page and webhook at once, two tabs at once; and the same with the defence off, which must fail."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

import pytest
from django.db import connections
from django.test import Client

from billing import aligning, inbox, sync
from billing.models import CheckoutSession
from membership import clock as product_clock
from membership import lifecycle
from membership.models import Membership, Term
from tests.billing.conftest import come_back, go_to_pay, mails, pay
from tests.invariants import breached, without_constraint

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 5


def at_once(*acts: Callable[[], object]) -> list[object]:
    """Run the acts in threads that start together; -> what each returned or raised."""
    start = threading.Barrier(len(acts))
    results: list[object] = [None] * len(acts)

    def run(index: int, act: Callable[[], object]) -> None:
        try:
            start.wait(10)
            results[index] = act()
        except Exception as error:
            results[index] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(i, act)) for i, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


@pytest.fixture
def both_have_read(monkeypatch):
    """Nobody folds before both have read from Stripe: the worst moment there is."""
    meeting = threading.Barrier(2)
    whose = sync._whose

    def waits(subscription):
        with contextlib.suppress(threading.BrokenBarrierError):  # a third reader, and later ones, go on alone
            meeting.wait(5)
        return whose(subscription)

    monkeypatch.setattr(sync, "_whose", waits)


def _return_and_webhook(visitor) -> list[object]:
    session = CheckoutSession.objects.get()
    return at_once(
        lambda: come_back(visitor),
        lambda: sync.checkout(str(session.stripe_id)),
    )


class TestReturnAndWebhookAtOnce:
    def test_make_one_term_and_one_welcome(self, visitor, both_have_read):
        pay(go_to_pay(visitor))
        results = _return_and_webhook(visitor)
        assert not [r for r in results if isinstance(r, Exception)]
        assert (Term.objects.count(), len(mails("welcome")), len(mails("receipt"))) == (1, 1, 1)
        assert breached() == set()

    def test_with_the_defence_off_make_two_terms(self, visitor, both_have_read, monkeypatch):
        monkeypatch.setattr(lifecycle.joining, "_told_before", lambda source_ref: None)
        monkeypatch.setattr(sync, "_untold", lambda paid: paid)
        # Two years for one payment are told to Stripe as free days, and reading the answer would make a third.
        monkeypatch.setattr(aligning, "plan", lambda membership: None)
        pay(go_to_pay(visitor))
        with without_constraint(Term, "one_term_per_source_ref"):
            _return_and_webhook(visitor)
            assert Term.objects.count() == 2
            assert breached() >= {"I2"}


class TestTheInboxAtOnce:
    def test_hands_each_event_to_one_worker(self, visitor, webhooks, monkeypatch):
        pay(go_to_pay(visitor))
        monkeypatch.setattr("tests.billing.conftest.drain", lambda: None)
        webhooks("duplicated")
        at = product_clock.now()
        done = at_once(*[lambda: inbox.sweep(at=at)] * 4)
        from billing.models import StripeEvent

        assert sum(done) == StripeEvent.objects.count() > 0  # type: ignore[arg-type]
        assert Term.objects.count() == 1


class TestTwoTabsAtOnce:
    def _press(self, visitor, plan: str) -> Callable[[], object]:
        tab = Client()
        tab.cookies = visitor.cookies
        return lambda: tab.post(f"/checkout/{plan}/", {"agree": "on"})

    def test_with_the_same_plan_open_one_page(self, visitor):
        for _round in range(ROUNDS):
            answers = at_once(*[self._press(visitor, "gold-year")] * 2)
            assert not [a for a in answers if isinstance(a, Exception)]
            assert Membership.objects.open().count() == 1
            assert CheckoutSession.objects.filter(state="open").count() == 1
            pages = {a["Location"] for a in answers if a.status_code == 302}  # type: ignore[attr-defined]
            assert len(pages) == 1

    def test_with_two_plans_leave_one_page_that_can_be_paid(self, visitor):
        for _round in range(ROUNDS):
            answers = at_once(self._press(visitor, "gold-year"), self._press(visitor, "silver-year"))
            assert not [a for a in answers if isinstance(a, Exception)]
            assert {a.status_code for a in answers} <= {302, 503}  # type: ignore[attr-defined]
            assert CheckoutSession.objects.filter(state="open").count() == 1
        pay(CheckoutSession.objects.get(state="open").url)
        come_back(visitor)
        assert Term.objects.count() == 1
        assert breached() == set()

    def test_with_the_defence_off_reserve_twice(self, ada, on_sale, clock, monkeypatch):
        # As if the other tab's row was not committed yet when this one looked.
        monkeypatch.setattr(lifecycle.joining, "_holder_of", lambda member: None)
        with without_constraint(Membership, "one_open_membership_per_member"):
            for plan in on_sale[:2]:
                lifecycle.reserve(member=ada, plan=plan, currency="EUR", at=clock.now, actor="member")
            assert Membership.objects.open().count() == 2
            assert breached() == {"I1"}
