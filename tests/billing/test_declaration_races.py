"""One form sent twice at once, two workers at one declaration; and with each defence off."""

from __future__ import annotations

import pytest
from django.test import Client

from billing import declared, leaving, tasks
from billing.models import Declaration
from membership.models import Membership, TimelineEntry
from tests.billing.conftest import mails
from tests.billing.declaring import CANCEL, WITHDRAW, declare, mark, number, typed, work_it_off
from tests.billing.test_races import at_once
from tests.invariants import breached, without_constraint

pytestmark = pytest.mark.django_db(transaction=True)


def sent_twice_at_once() -> int:
    """-> how many declarations that made"""
    visitors = [Client(), Client()]
    words = typed(mark=mark(visitors[0]))
    at_once(*[lambda visitor=visitor: visitor.post(CANCEL, words) for visitor in visitors])
    return Declaration.objects.count()


class TestTheSameFormTwiceAtOnce:
    def test_is_one_declaration_with_one_receipt(self, on_sale):
        assert sent_twice_at_once() == 1
        assert len(mails("declaration_receipt")) == 1

    def test_without_the_constraint_is_two(self, on_sale):
        with without_constraint(Declaration, "one_declaration_per_form_sent"):
            assert sent_twice_at_once() == 2


class TestTwoWorkersAtOnce:
    @pytest.mark.parametrize("path", [CANCEL, WITHDRAW])
    def test_carry_it_out_once(self, joined, path):
        declare(Client(), path, number=number())
        at_once(*[tasks.sweep_declarations] * 2)
        work_it_off()
        assert Declaration.objects.get().done_at
        assert len(mails("membership_canceled" if path == CANCEL else "refund")) == 1
        assert breached() == set()


class TestAWorkerThatDiedAfterItsAct:
    def died_and_was_taken_back(self, joined) -> bool:
        """-> whether the member, who has stayed after all, still stays when another worker takes the row."""
        declare(Client(), number=number())
        row = work_it_off()
        joined.post("/portal/stay/")
        Declaration.objects.filter(pk=row.pk).update(done_at=None)
        work_it_off()
        return Membership.objects.get().renewal_expected

    def test_cancels_nothing_twice(self, joined):
        assert self.died_and_was_taken_back(joined)

    def test_with_the_defence_off_cancels_again(self, joined, monkeypatch):
        monkeypatch.setattr(declared, "_is_ours", lambda row, membership: False)
        assert not self.died_and_was_taken_back(joined)


def test_a_renewal_that_the_member_canceled_meanwhile_is_the_same_wish(joined, monkeypatch):
    declare(Client(), number=number())
    joined.post("/portal/cancel/")
    monkeypatch.setattr(leaving, "cancel", lambda **_: pytest.fail("it is canceled already"))
    assert work_it_off().outcome == Declaration.Outcome.CANCELED
    assert TimelineEntry.objects.filter(kind="membership.cancel").count() == 1
