"""What valid_until promises, for every member, basket and sale: until that second, the same question has one answer."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from perks import engine
from perks.facts import Window
from perks.kinds.base import SaleDates
from tests.perks.test_engine import AT, basket, decide, held, line, member

A_SECOND = timedelta(seconds=1)
hours = st.integers(-60, 60)


def at(offset):
    return AT + timedelta(hours=offset)


stretches = st.builds(lambda start, length: (at(start), at(start + length)), hours, st.integers(1, 40))
open_stretches = st.builds(
    lambda start, length: (at(start), at(start + length) if length else None), hours, st.integers(0, 40)
)
sales = st.builds(
    lambda opens, lasts: SaleDates("winter", {"en": "Winter"}, at(opens), at(opens + lasts)), hours, st.integers(1, 50)
)
in_grace = st.sampled_from(["keep", "stop"])
early = st.builds(lambda n, rule: held("early", "early_access", hours=n, in_grace=rule), st.integers(1, 90), in_grace)
counted = st.builds(
    lambda uses, every, used: held(
        "help", "service", {"2026-11": used, "2026-Q4": used, "2026": used, "term": used}, service={"en": "Help"},
        allowance={"uses": uses, "every": every},
    ),
    st.integers(1, 3),
    st.sampled_from(["term", "month", "quarter", "year"]),
    st.integers(0, 3),
)  # fmt: skip
ships = st.builds(lambda rule: held("ship", "free_shipping", in_grace=rule), in_grace)
gifts = st.builds(
    lambda before, after: held("gift", "birthday_gift", sku="GIFT", days_before=before, days_after=after),
    st.integers(0, 1),
    st.integers(0, 1),
)
birthdays = st.sampled_from([None, (11, 20), (11, 21), (11, 22)])
bundles = st.lists(st.one_of(early, counted, ships, gifts), min_size=1, max_size=3, unique_by=lambda one: one.perk)


def window(start, length, bundle, tier="gold"):
    return Window(at(start), at(start + length), tier, provisional=False, held=bundle)


windows = st.builds(window, hours, st.integers(1, 80), bundles, st.sampled_from(["gold", "silver"]))
people = st.builds(
    lambda now, later, extra, until, grace, cut, stops, pauses, zone, birthday: member(
        zone=zone,
        birthday=birthday,
        began_at=at(-60),
        entitled_until=at(until),
        grace_until=None if grace is None else at(until + grace),
        cut_at=None if cut is None else at(cut),
        stops=tuple(stops),
        pauses=tuple(pauses),
        windows=(window(-60, 60 + until, now), *later),
        goodwill=tuple(extra),
    ),
    bundles,
    st.lists(windows, max_size=1),
    st.lists(windows, max_size=1),
    st.integers(-20, 60),
    st.one_of(st.none(), st.integers(1, 60)),
    st.one_of(st.none(), hours),
    st.lists(open_stretches, max_size=2),
    st.lists(stretches, max_size=1),
    st.sampled_from(["Europe/Amsterdam", "Pacific/Kiritimati", "America/St_Johns"]),
    birthdays,
)
ASKED = ("early", "help", "ship", "gift")


def said(facts, sale, moment):
    asked = basket(line(sale="winter"))
    answer = decide(facts, asked, *ASKED, at=moment, sales=[sale])
    return answer._replace(valid_until=None), answer.valid_until


class TestAnAnswer:
    @given(people, sales)
    @settings(max_examples=300, deadline=None)
    def test_stands_to_the_last_second_of_its_valid_until(self, facts, sale):
        answer, until = said(facts, sale, AT)
        assert AT < until <= AT + engine.LONGEST_VALIDITY
        for moment in (AT + (until - AT) / 2, until - A_SECOND, until - timedelta(microseconds=1)):
            assert said(facts, sale, moment)[0] == answer
