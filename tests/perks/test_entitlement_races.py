"""A row made of two memberships, changed in both at once: in the end it says what both say.

On SQLite a writing transaction is alone, so that there the second waits before it begins; what the twin shows can
happen on PostgreSQL only.
"""

from __future__ import annotations

import threading
import time

import pytest
from django.db import connection, transaction

from membership import cards, households, lifecycle
from perks import entitlements
from perks.models import Entitlement
from tests import factories
from tests.billing.test_races import at_once
from tests.invariants import breached

pytestmark = pytest.mark.django_db(transaction=True)
POSTGRES = connection.vendor == "postgresql"


@pytest.fixture
def two(joined, clock):
    """Somebody with a seat under another's membership, and then one of their own. -> (own, the other's)"""
    holder, other = factories.member(), joined()
    households.open_seat(membership=other, holder=holder, at=clock.now, actor="staff:1")
    own = joined("silver-year", member=holder)
    cards.issue(member=holder, at=clock.now, actor="system")
    return own, other


def stop(membership, at):
    said = {"source": "staff", "source_ref": str(membership.pk), "actor": "staff:1"}
    return lambda: lifecycle.suspend(membership=membership, at=at, **said)


def new_card(member, at):
    return lambda: cards.reissue(member=member, reason=cards.RevokeReason.LOST, at=at, actor="staff:1")


def somebody_waits_for_me() -> bool:
    with connection.cursor() as cursor:
        for_me = "NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
        cursor.execute(f"SELECT EXISTS (SELECT FROM pg_locks WHERE {for_me})")
        return bool(cursor.fetchone()[0])


def overtake(monkeypatch, first, second) -> None:
    """`first` has written all it writes and does not commit before `second` has read its facts, or waits for it."""
    written, read = threading.Event(), threading.Event()
    recompute = entitlements.recompute

    def and_say_so(*args, **kwargs):
        told = recompute(*args, **kwargs)
        read.set()
        return told

    def slowly() -> None:
        with transaction.atomic():
            first()
            written.set()
            give_up = time.monotonic() + 20
            while POSTGRES and not read.is_set() and not somebody_waits_for_me() and time.monotonic() < give_up:
                time.sleep(0.005)

    def meanwhile() -> None:
        assert written.wait(20)
        monkeypatch.setattr(entitlements, "recompute", and_say_so)
        second()

    assert [result for result in at_once(slowly, meanwhile) if isinstance(result, Exception)] == []


def pairs(own, other, at):
    return {
        "own, then the other's": (stop(own, at), stop(other, at)),
        "the other's, then own": (stop(other, at), stop(own, at)),
        "a card, then own": (new_card(own.member, at), stop(own, at)),
        "own, then a card": (stop(own, at), new_card(own.member, at)),
    }


PAIRS = ["own, then the other's", "the other's, then own", "a card, then own", "own, then a card"]


@pytest.mark.parametrize("pair", PAIRS)
def test_who_comes_second_reads_what_the_first_has_written(two, clock, monkeypatch, pair):
    overtake(monkeypatch, *pairs(*two, clock.now)[pair])
    assert "I4" not in breached()


@pytest.mark.skipif(not POSTGRES, reason="on SQLite a writing transaction is alone")
@pytest.mark.parametrize("pair", PAIRS[:3])
def test_without_the_lock_the_row_tells_what_is_no_longer_so(two, clock, monkeypatch, pair):
    monkeypatch.setattr(entitlements, "_take", lambda member, at: None)
    overtake(monkeypatch, *pairs(*two, clock.now)[pair])
    assert "I4" in breached()


def test_a_first_row_is_made_once(joined, clock):
    """A seat and a first membership at once: whoever comes second finds the row that the first made."""
    holder, other = factories.member(), joined()

    def seated() -> None:
        households.open_seat(membership=other, holder=holder, at=clock.now, actor="staff:1")

    results = at_once(seated, lambda: joined("silver-year", member=holder))
    assert [r for r in results if isinstance(r, Exception) and not isinstance(r, households.SeatTaken)] == []
    assert Entitlement.objects.filter(member=holder).count() == 1
    assert "I4" not in breached()
