"""A copy is never older than a second, and one thread renews it while the others go on with it."""

from __future__ import annotations

import pytest
from django.db import OperationalError

from perks import auth, fresh
from perks.fast_lane import FastLane
from tests.perks.test_fast_lane import asked, nobody, send, shop  # noqa: F401 (fixtures)


class Row:
    """What is copied. Between the question and the answer of a load, `meanwhile` is done by others."""

    def __init__(self, monkeypatch):
        self.copies, self.value, self.loads, self.now = fresh.Fresh(), "old", 0, 100.0
        self.meanwhile = lambda: None
        monkeypatch.setattr(fresh.time, "monotonic", lambda: self.now)

    def load(self):
        self.loads += 1
        value, meanwhile, self.meanwhile = self.value, self.meanwhile, lambda: None
        meanwhile()
        return value

    def get(self, *, after=0.0):
        self.now += after
        return self.copies.get("key", self.load)


@pytest.fixture
def row(monkeypatch):
    return Row(monkeypatch)


def loads_of_a_crowd(row):
    """How many load when three more ask while the first renews a copy that is nearly over."""
    row.get()
    row.value, others = "new", []
    row.meanwhile = lambda: others.extend(row.get() for _ in range(3))
    assert row.get(after=0.8) == "new"
    assert set(others) <= {"old", "new"}
    return row.loads - 1


def test_one_of_all_who_ask_renews_it_and_the_others_go_on_with_what_there_is(row):
    assert loads_of_a_crowd(row) == 1
    assert row.get() == "new"


def test_without_that_all_of_them_load(row, monkeypatch):
    monkeypatch.setattr(fresh.Copy, "is_mine_to_renew", lambda _copy: True)
    row.meanwhile = lambda: None
    assert loads_of_a_crowd(row) > 1


def test_no_copy_is_older_than_a_second_even_if_whoever_renews_it_never_returns(row):
    row.get()

    def fails():
        raise OperationalError

    row.now += 0.9
    with pytest.raises(OperationalError):
        row.copies.get("key", fails)
    row.value = "new"
    assert row.get(after=0.05) == "old"
    assert row.get(after=0.05) == "new"


def test_what_is_changed_while_it_is_loaded_is_seen_within_a_second_of_the_question(row):
    row.meanwhile = lambda: setattr(row, "value", "new") or setattr(row, "now", row.now + 0.7)
    assert row.get() == "old"
    assert row.get(after=0.4) == "new"


def test_what_is_gone_is_nobodys_at_once_when_it_is_renewed(row):
    row.get()
    row.value = None
    assert row.copies.kept("key", row.load) == "old"
    row.now += 0.8
    assert row.copies.kept("key", row.load) is None
    assert row.copies.kept("key", row.load) is None
    assert row.loads == 2


def test_a_till_whose_key_cannot_be_renewed_is_answered_by_the_route(shop, asked, monkeypatch):  # noqa: F811
    def away(*_):
        raise OperationalError

    monkeypatch.setattr(fresh, "AHEAD", 0)
    monkeypatch.setattr(auth, "_stored", away)
    answer = send(FastLane(nobody), asked, Authorization=f"Bearer {shop.key}")
    assert answer.status.startswith("299")
