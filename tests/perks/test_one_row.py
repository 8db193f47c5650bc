"""The read of a perk check, by the driver's own cursor: it raises and recovers as any query does."""

from __future__ import annotations

import pytest
from django.db import OperationalError, ProgrammingError, connection

from perks import lookup, one_row


def test_raises_what_django_raises(transactional_db):
    with pytest.raises((OperationalError, ProgrammingError)):
        one_row.fetch("SELECT nothing FROM nowhere WHERE a = %s", ["1"])


def test_reads_on_after_the_connection_was_closed(transactional_db):
    for _ in range(2):
        assert one_row.fetch("SELECT %s", ["found"]) == ("found",)
        connection.close()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no server that could go")
def test_that_finds_its_session_ended_by_the_server_asks_once_more_on_a_new_one(shop, joined, clock, transactional_db):
    found = lookup.by_number(joined().member.number, at=clock.now)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (ours,) = cursor.fetchone()
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [ours])
    other.close()
    assert lookup.by_number(found.number, at=clock.now) == found
