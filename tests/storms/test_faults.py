"""Stripe answers badly: a fifth of all calls fail in one of eight ways. The ledgers still agree to the cent."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest

from billing import gateway
from tests.billing.conftest import on_sale  # noqa: F401  (a fixture)
from tests.storms import test_histories as histories
from tests.storms.weather import Weather
from tests.storms.world import BACKEND, forgotten

if TYPE_CHECKING:
    from tests.moment import Clock

pytestmark = pytest.mark.storm

PARTS = 5
LONGEST_PAGE = 12.0  # seconds


def outcome(clock: Clock, seed: int, weather: Weather) -> dict[str, Any]:
    """Live one history in this weather, then in calm. -> what the product and the oracle do not agree on."""
    start = clock.now
    with forgotten():
        history = histories.History(clock, seed)
        world = history.world
        world.person = weather.person()
        world.person.force_login(world.member.user, BACKEND)
        with weather.blows():
            history.live()
        differences = histories.disagreement(world)
    clock.move_to(start)
    return differences and {"told": history.told, **differences}


@pytest.mark.parametrize("part", range(PARTS))
def test_a_fifth_of_all_calls_fails_and_no_cent_is_lost(on_sale, clock, share, part):  # noqa: F811
    calls = met = 0
    for seed in share.seeds(ci=1000, full=4000, part=part, parts=PARTS):
        weather = Weather(random.Random(seed))
        trouble = outcome(clock, seed, weather)
        assert not trouble, json.dumps({seed: trouble}, indent=1, default=str)
        assert weather.slowest <= LONGEST_PAGE, f"seed {seed}: a page of {weather.slowest} s"
        calls, met = calls + weather.calls, met + weather.met
        if calls >= share.of(ci=2_500, full=20_000) / PARTS:
            break
    assert met > calls / 10 or share.only is not None


def test_twin_pages_without_a_deadline_keep_their_reader_waiting(on_sale, clock, monkeypatch):  # noqa: F811
    monkeypatch.setattr(gateway, "PAGE", 1_000.0)
    monkeypatch.setattr(histories, "a_night", lambda world: None)  # so bad a weather would never let one end
    waited = []
    for seed in range(1, 50):
        weather = Weather(random.Random(seed), share=0.4, kinds=("stall",))
        outcome(clock, seed, weather)
        waited.append(weather.slowest)
        if weather.slowest > LONGEST_PAGE:
            return
    pytest.fail(f"no page waited longer than {max(waited)} s")
