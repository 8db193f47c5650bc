"""Billing's invariants, each broken by hand; a constraint is seen to refuse first."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from billing.models import InvoiceLine, StripeEvent
from membership import clock as product_clock
from membership.models import AuditEntry, Membership, Term
from membership.signals import membership_changed
from tests.billing.conftest import come_back, go_to_pay, pay
from tests.invariants import breached, without_constraint


def _event(ident: str = "evt_1", **fields) -> StripeEvent:
    at = product_clock.now()
    known = {"type": "x", "object_id": "x", "payload": {}, "received_at": at, "due_at": at, "done_at": at}
    return StripeEvent.objects.create(stripe_id=ident, **known | fields)


@pytest.mark.django_db(transaction=True)
class TestI2:
    @pytest.fixture
    def joined(self, visitor):
        pay(go_to_pay(visitor))
        come_back(visitor)
        assert breached() == set()

    def test_a_paid_line_without_its_term(self, joined):
        InvoiceLine.objects.update(stripe_id="il_other")
        assert breached() == {"I2"}

    def test_a_paid_term_without_its_line(self, joined):
        InvoiceLine.objects.update(buys_time=False)
        assert breached() == {"I2"}

    def test_a_free_term_nobody_answers_for(self, joined):
        Term.objects.update(source="complimentary")
        InvoiceLine.objects.update(buys_time=False)
        AuditEntry.objects.filter(verb="add_term").delete()
        membership = Membership.objects.with_facts().get()
        membership_changed.send(sender=Membership, membership=membership, at=product_clock.now())
        assert breached() == {"I2", "I17"}

    def test_two_terms_of_one_reference_are_refused_and_reported(self, joined):
        term = Term.objects.get()
        second = {f: getattr(term, f) for f in ("membership", "plan", "source", "source_ref", "anchor_at", "interval")}
        second |= {"ordinal": 2, "starts_at": term.ends_at, "recorded_at": term.recorded_at}
        second["ends_at"] = term.ends_at + (term.ends_at - term.starts_at)
        with pytest.raises(IntegrityError), transaction.atomic():
            Term.objects.create(**second)
        with without_constraint(Term, "one_term_per_source_ref"):
            Term.objects.create(**second)
            assert "I2" in breached()


@pytest.mark.django_db(transaction=True)
class TestI10:
    def test_an_event_stored_twice_is_refused_and_reported(self):
        _event()
        with pytest.raises(IntegrityError), transaction.atomic():
            _event()
        with without_constraint(StripeEvent, "each_event_is_stored_once"):
            _event()
            assert breached() == {"I10"}

    def test_an_event_nobody_worked_off(self):
        old = product_clock.now() - timedelta(minutes=6)
        _event(received_at=old, done_at=None)
        assert breached() == {"I10"}

    def test_but_one_that_is_parked_waits_for_a_person(self):
        old = product_clock.now() - timedelta(minutes=6)
        _event(received_at=old, done_at=None, parked_reason="nobody knows this customer")
        assert breached() == set()
