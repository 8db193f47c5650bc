"""I11 and I13, each broken by hand; a constraint is seen to refuse first."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from billing.models import Invoice, Notice
from membership import clock as product_clock
from membership.models import Message, Term
from tests.invariants import breached, without_constraint


def _notice(step: str, **fields) -> Notice:
    """A notice of the joined member's term: sent now, unless `fields` say otherwise."""
    at, term = product_clock.now(), Term.objects.get()
    message = Message.objects.first()
    known = {"kind": "renewal", "due_at": at, "latest_at": at, "done_at": at, "sent_at": at, "issue": 1}
    known |= {"message": message, "membership": term.membership, "term": term, "step": step}
    return Notice.objects.create(**known | fields)


PLANNED = {"done_at": None, "sent_at": None, "issue": 0, "message": None}


@pytest.mark.django_db(transaction=True)
class TestI11:
    @pytest.fixture(autouse=True)
    def all_sent(self, joined):
        Notice.objects.all().delete()
        Message.objects.update(done_at=product_clock.now())

    def test_a_notice_nobody_sent_in_time(self):
        _notice("T-35", latest_at=product_clock.now() - timedelta(minutes=1), **PLANNED)
        assert breached() == {"I11"}

    def test_a_notice_that_is_done_and_was_never_carried(self):
        _notice("T-35", issue=0, message=None)
        assert breached() == {"I11"}

    def test_but_one_that_was_skipped_for_a_reason_is_well(self):
        _notice("T-35", issue=0, message=None, skipped_reason="overtaken")
        assert breached() == set()

    def test_a_mail_nobody_sent(self):
        Message.objects.update(done_at=None, due_at=product_clock.now() - timedelta(hours=2))
        assert breached() == {"I11"}

    def test_a_step_twice_is_refused_and_reported(self):
        _notice("T-35")
        with pytest.raises(IntegrityError), transaction.atomic():
            _notice("T-35")
        with without_constraint(Notice, "one_notice_per_membership_kind_term_and_step"):
            _notice("T-35")
            assert breached() == {"I11"}


@pytest.mark.django_db(transaction=True)
class TestI13:
    @pytest.fixture(autouse=True)
    def all_sent(self, joined):
        Notice.objects.all().delete()
        Message.objects.update(done_at=product_clock.now())

    def _dunning(self, step: str, **fields) -> Notice:
        return _notice(step, kind="dunning", invoice=Invoice.objects.get(), **fields)

    def test_a_step_left_out(self):
        self._dunning("payment_failed")
        self._dunning("hard_decline")
        assert breached() == {"I13"}

    def test_a_later_step_sent_before_an_earlier_one(self):
        self._dunning("payment_failed")
        self._dunning("action_required", sent_at=product_clock.now() - timedelta(days=1))
        assert breached() == {"I13"}

    def test_but_a_prefix_with_what_was_not_the_case_is_well(self):
        self._dunning("payment_failed", issue=0, message=None, sent_at=None, skipped_reason="not_the_case")
        self._dunning("action_required")
        assert breached() == set()
