"""Time is asked: what a shop is told does not depend on whether any job of the perks has run.

A year of a member's life in which no job runs at all. At each moment that changes something the shop asks; then every
job of the perks runs, and the shop asks again: it must hear the same.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from membership import birthdays
from membership.celery import app
from perks import decisions, fresh, tasks
from tests.perks.conftest import basket, number

ASKED = ["free-shipping", "early-access", "concierge", "alterations", "birthday-gift", "returns", "workshops"]
# What Ada is told: she is gold from 2 March 2026, 11:00 in Amsterdam; her birthday is 1 June.
MOMENTS = [
    (datetime(2026, 3, 2, 10, 1, tzinfo=UTC), {"early-access": "granted", "birthday-gift": "outside_window"}),
    (datetime(2026, 3, 3, 22, 0, tzinfo=UTC), {"early-access": "granted"}),  # open to the public
    (datetime(2026, 3, 24, 22, 0, tzinfo=UTC), {"early-access": "nothing_eligible"}),  # the sale is over
    (datetime(2026, 4, 14, 10, 0, tzinfo=UTC), {"workshops": "granted"}),
    (datetime(2026, 4, 15, 10, 0, tzinfo=UTC), {"workshops": "nothing_eligible"}),  # booking has closed
    (datetime(2026, 5, 24, 21, 59, tzinfo=UTC), {"birthday-gift": "outside_window"}),
    (datetime(2026, 5, 24, 22, 0, tzinfo=UTC), {"birthday-gift": "granted"}),  # seven days before, at her midnight
    (datetime(2026, 6, 15, 22, 0, tzinfo=UTC), {"birthday-gift": "outside_window"}),
    (datetime(2026, 12, 31, 22, 59, tzinfo=UTC), {"concierge": "granted"}),
    (datetime(2026, 12, 31, 23, 0, tzinfo=UTC), {"concierge": "granted"}),
    (datetime(2027, 3, 2, 22, 59, tzinfo=UTC), {"free-shipping": "granted", "concierge": "granted"}),
    (datetime(2027, 3, 2, 23, 0, tzinfo=UTC), {"free-shipping": "granted", "concierge": "payment_overdue"}),  # grace
    (datetime(2027, 3, 30, 10, 0, tzinfo=UTC), {"free-shipping": "membership_lapsed"}),
]


@pytest.fixture
def ada(joined, clock):
    membership = joined("gold-year")
    birthdays.tell(member=membership.member, birthday=date(1990, 6, 1), at=clock.now, actor="staff:1")
    return membership


def told(shop, membership) -> dict[str, Any]:
    fresh.forget_all()
    answer = shop.check(member=number(membership), basket=basket(lines=[]), perks=ASKED)
    return {name: value for name, value in answer.items() if name != "id"}


def run_every_job() -> None:
    decisions.flush()
    for entry in tasks.BEAT.values():
        app.tasks[entry["task"]].apply(throw=True)


def test_nothing_a_shop_is_told_in_a_year_depends_on_a_job(shop, ada, clock):
    for moment, expected in MOMENTS:
        clock.move_to(moment)
        before = told(shop, ada)
        reasons = {decision["perk"]: decision["reason"] for decision in before["decisions"]}
        assert {perk: reasons[perk] for perk in expected} == expected, moment
        run_every_job()
        assert told(shop, ada) == before, moment


def test_a_hold_that_ran_out_gives_its_use_back_before_any_job_says_so(shop, ada, clock):
    check = shop.check(member=number(ada), perks=["alterations"])
    shop.hold(check, "alterations")
    clock.move(minutes=29)
    assert told(shop, ada)["decisions"][3]["uses_left"] == 1
    clock.move(minutes=1)
    before = told(shop, ada)
    assert before["decisions"][3]["uses_left"] == 2
    run_every_job()
    assert told(shop, ada) == before
