"""Each queue is answered from an index that holds only what waits, on both databases."""

from __future__ import annotations

import pytest
from django.db import connection

from billing import approvals, declarations
from billing.console import queues, waiting
from membership.console import mails_waiting
from membership.console import queues as desk
from perks.console import waiting as perks_waiting
from tests import factories
from tests.billing.test_sweep_plans import plan

pytestmark = pytest.mark.django_db
QUESTIONS = {
    "invoices_not_paid": queues.not_paid,
    "invoices_to_confirm": queues.to_confirm,
    "asked_refunds_that_wait": approvals.waiting,
    "mails_that_bounced": mails_waiting.bounced,
    "mails_that_are_stuck": mails_waiting.not_sent,
    "findings_that_wait": waiting.differed,
    "events_that_are_stuck": waiting.events,
    "notices_that_are_stuck": waiting.notices,
    "operations_that_are_stuck": waiting.operations,
    "first_accesses_that_are_stuck": perks_waiting.untold,
    "declarations_for_staff": lambda _at: declarations.for_staff().select_related("member"),
}


@pytest.mark.parametrize("index", QUESTIONS)
def test_is_asked_of(clock, index):
    factories.plan()
    asked = QUESTIONS[index](clock.now)
    assert index in plan(asked[:100])
    assert index in plan(desk.as_counted(asked))


def test_twin_without_its_index_it_is_not(clock):
    factories.plan()
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX invoices_not_paid")
    assert "invoices_not_paid" not in plan(queues.not_paid(clock.now)[:99])
