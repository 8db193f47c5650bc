"""Each sweep finds what is due by an index of its own, on both databases, whatever else has gathered there."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from billing import endings, grace, inbox, janitor, misplaced, nets, overdue, refunds, running_out
from billing.models import Notice, StripeEvent
from membership import sweeps, work
from membership.models import Message
from tests import factories

pytestmark = pytest.mark.django_db
SWEEPS = {
    "stripeevent_due": lambda at: work.due(StripeEvent.objects.all(), at=at),
    "message_due": lambda at: work.due(Message.objects.all(), at=at),
    "notice_due": lambda at: work.due(Notice.objects.select_related("membership"), at=at),
    "events_to_try_again": lambda _at: inbox.parked(),
    "open_checkouts_to_look_at": lambda at: nets.pages(at=at),
    "operations_unknown": lambda _at: misplaced.unfinished(),
    "operations_unknown ": lambda _at: endings.unfinished(),
    "refunds_not_answered": lambda at: refunds.unfinished(at=at),
    "operations_to_look_at": lambda at: janitor.due(at=at),
    "subscriptions_to_read_again": lambda at: overdue.due(at=at),
    "memberships_that_run_out": lambda at: running_out.due(at=at),
    "memberships_that_renew": lambda at: grace.due(at=at),
    "memberships_that_ended": lambda at: nets.lives_on(at=at),
}


def plan(rows) -> str:
    """How the database would answer, were its tables too large to be read whole."""
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_sort = off")
        return str(rows.explain())


@pytest.mark.parametrize("index", SWEEPS)
def test_is_found_by(clock, index):
    factories.plan()
    found = plan(sweeps.waiting("any", SWEEPS[index](clock.now), at=clock.now)[:500])
    assert index.strip() in found, found
    assert "one_setback_per_sweep_and_row" in found or "sqlite_autoindex_membership_setback" in found


def test_twin_without_its_index_it_is_not(clock):
    factories.plan()
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX memberships_that_run_out")
    assert "memberships_that_run_out" not in plan(running_out.due(at=clock.now)[:500])
