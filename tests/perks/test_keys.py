"""Keys over time: an old one ends by itself with its overlap, and never are there three; and with the defence off."""

from __future__ import annotations

import contextlib
import threading
from datetime import timedelta

import orjson
import pytest

from perks import decisions, fresh, keys
from perks.fast_lane import FastLane
from perks.models import ApiKey
from tests.billing.test_races import at_once
from tests.invariants import breached, without_constraint
from tests.perks.conftest import basket, number
from tests.perks.test_fast_lane import nobody, send

DAY = timedelta(hours=24)


class TestARotatedKey:
    @pytest.fixture
    def old(self, shop, monkeypatch):
        monkeypatch.setattr(fresh, "SECONDS", 3600)  # a copy of it is trusted all the time
        return ApiKey.objects.get()

    def test_ends_with_its_overlap_though_nothing_runs_and_nobody_looks_again(self, shop, old, joined, clock):
        question = orjson.dumps({"member": number(joined()), "basket": basket()})

        def lane() -> str:
            return send(FastLane(nobody), question, Authorization=f"Bearer {shop.key}").status

        new = keys.rotate(prefix=old.prefix, overlap=DAY, at=clock.now, actor="test")
        clock.move(hours=24, seconds=-1)
        assert (shop.call("GET", "/members/1").status_code, lane()) == (404, "200 OK")
        clock.move(seconds=1)
        assert (shop.call("GET", "/members/1").status_code, lane()[:3]) == (401, "299")
        decisions.flush()
        assert "I18" not in breached()
        shop.key = new
        assert shop.call("GET", "/members/1").status_code == 404

    def test_leaves_its_slot_to_whoever_asks_for_one_and_cannot_be_revoked_any_more(self, shop, old, clock):
        keys.rotate(prefix=old.prefix, overlap=DAY, at=clock.now, actor="test")
        with pytest.raises(keys.TooManyKeys):
            keys.create(shop_name="Loden & Sons", scopes=["perks:check"], at=clock.now, actor="test")
        clock.move(hours=24)
        with pytest.raises(keys.NoSuchKey):
            keys.revoke(prefix=shop.key, at=clock.now, actor="test")
        keys.create(shop_name="Loden & Sons", scopes=["perks:check"], at=clock.now, actor="test")
        old.refresh_from_db()
        assert old.revoked_at == old.retires_at == clock.now

    def test_used_after_its_end_breaks_an_invariant(self, shop, old, clock):
        keys.rotate(prefix=old.prefix, overlap=DAY, at=clock.now, actor="test")
        clock.move(hours=24, seconds=2)
        decisions.key_was_used(old.pk)
        decisions.flush()
        assert "I18" in breached()


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def make(self, at):
        return lambda: keys.create(shop_name="Loden & Sons", scopes=["perks:check"], at=at, actor="test")

    def test_of_three_that_make_a_second_key_one_does(self, shop, clock):
        answers = at_once(*[self.make(clock.now)] * 3)
        assert sorted(isinstance(answer, keys.TooManyKeys) for answer in answers) == [False, True, True]
        assert keys.live(clock.now).count() == 2

    def test_of_two_that_replace_the_same_key_one_does(self, shop, clock):
        prefix = ApiKey.objects.get().prefix
        replace = lambda: keys.rotate(prefix=prefix, overlap=timedelta(), at=clock.now, actor="test")  # noqa: E731
        answers = at_once(replace, replace)
        assert sorted(isinstance(answer, keys.NoSuchKey) for answer in answers) == [False, True]
        assert keys.live(clock.now).count() == 1

    def test_twin_without_the_constraint_there_are_three(self, shop, clock, monkeypatch):
        meeting, free = threading.Barrier(2), keys.free_slot

        def looked_before_the_other_came(shop):
            slot = free(shop)
            with contextlib.suppress(threading.BrokenBarrierError):
                meeting.wait(0.5)
            return slot if slot is not None else 2

        monkeypatch.setattr(keys, "free_slot", looked_before_the_other_came)
        with without_constraint(ApiKey, "one_live_key_per_slot"):
            at_once(*[self.make(clock.now)] * 2)
            assert keys.live(clock.now).count() == 3
