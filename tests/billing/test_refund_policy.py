"""What is given back: worked examples a person can check, and what holds for every case."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing import refund_policy
from billing.refund_policy import (
    LAWS,
    Case,
    Line,
    NeedsReason,
    NeedsSecondPerson,
    NothingToRefund,
    Paid,
    Part,
    TooMuch,
    check_goodwill,
    cooling_off,
    goodwill,
    house,
    last_day,
    law_on,
)

MONDAY = date(2026, 3, 2)
GOLD = Paid(ref=1, captured=11900, starts_on=MONDAY, ends_on=date(2027, 3, 2))


def case(today: date, *payments: Paid, jurisdiction: str = "EU", **fields) -> Case:
    given = {"today": today, "currency": "EUR", "jurisdiction": jurisdiction, "concluded_on": MONDAY} | fields
    return Case(payments=payments or (GOLD,), **given)


class TestCoolingOff:
    def test_gives_all_back_on_the_day_of_joining_with_nothing_taken_off(self):
        quote = cooling_off(case(MONDAY, perks_used=4000))
        assert (quote.amount, quote.parts) == (11900, (Part(1, 11900),))
        assert quote.working == (Line("paid", 11900), Line("total", 11900))

    def test_lasts_through_the_fourteenth_day_after(self):
        assert cooling_off(case(date(2026, 3, 16))).until == date(2026, 3, 16)
        assert cooling_off(case(date(2026, 3, 17))) is None

    @pytest.mark.parametrize(
        ("joined", "ends"),
        [
            (date(2026, 3, 6), date(2026, 3, 20)),  # a Friday: 14 days later is a Friday
            (date(2026, 3, 7), date(2026, 3, 23)),  # a Saturday: the period goes on to the Monday
            (date(2026, 3, 8), date(2026, 3, 23)),  # a Sunday
            (date(2028, 2, 21), date(2028, 3, 6)),  # over 29 February
        ],
    )
    def test_ends_in_the_eu_no_sooner_than_with_a_working_day(self, joined, ends):
        assert last_day(law_on("EU", joined), joined) == ends

    def test_ends_in_britain_at_a_weekend_too(self):
        saturday = date(2026, 3, 7)
        assert last_day(law_on("GB", saturday), saturday) == date(2026, 3, 21)

    def test_leaves_out_what_went_back_before(self):
        paid = Paid(ref=1, captured=11900, returned=2000, starts_on=MONDAY, ends_on=date(2027, 3, 2))
        quote = cooling_off(case(MONDAY, paid))
        assert quote.working == (Line("paid", 11900), Line("returned", -2000), Line("total", 9900))

    def test_gives_nothing_of_a_disputed_payment(self):
        paid = Paid(ref=1, captured=11900, disputed=11900, starts_on=MONDAY, ends_on=date(2027, 3, 2))
        assert cooling_off(case(MONDAY, paid)).amount == 0

    def test_gives_an_upgrade_of_the_same_days_back_too(self):
        upgrade = Paid(ref=2, captured=5990, starts_on=date(2026, 3, 5), ends_on=date(2027, 3, 2))
        assert cooling_off(case(date(2026, 3, 9), GOLD, upgrade)).amount == 17890

    @pytest.mark.parametrize(
        ("jurisdiction", "renewed", "day", "right"),
        [
            ("EU", date(2027, 3, 2), date(2027, 3, 3), False),  # Sofatutor: once a contract
            ("GB", date(2027, 3, 2), date(2027, 3, 3), False),  # before the new regime
            ("GB", date(2027, 4, 2), date(2027, 4, 16), True),
            ("GB", date(2027, 4, 2), date(2027, 4, 17), False),
            ("", date(2027, 4, 2), date(2027, 4, 3), False),
        ],
    )
    def test_counts_again_at_a_renewal_where_and_since_the_law_says_so(self, jurisdiction, renewed, day, right):
        paid = Paid(ref=2, captured=11900, starts_on=renewed, ends_on=renewed + timedelta(days=365))
        quote = cooling_off(case(day, paid, jurisdiction=jurisdiction, renewed_on=renewed))
        assert bool(quote) is right

    def test_of_a_renewal_gives_back_that_renewal_only(self):
        renewed = date(2027, 4, 2)
        before = Paid(ref=1, captured=11900, starts_on=date(2026, 4, 2), ends_on=renewed)
        paid = Paid(ref=2, captured=12900, starts_on=renewed, ends_on=date(2028, 4, 2))
        quote = cooling_off(case(renewed, before, paid, jurisdiction="GB", renewed_on=renewed))
        assert quote.parts == (Part(2, 12900),)


class TestTheLaw:
    def test_names_its_source_in_every_row(self):
        assert all(len(law.source) > 40 and law.days == 14 for law in LAWS)

    @pytest.mark.parametrize(("country", "whose"), [("DE", "EU"), ("NO", "EU"), ("GB", "GB"), ("US", ""), ("", "EU")])
    def test_is_that_of_the_members_country(self, country, whose):
        assert refund_policy.jurisdiction_of(country, "EU") == whose


class TestTheHouse:
    def test_gives_the_days_not_begun_rounded_down(self):
        # The days from 2 June 2026 to 1 March 2027 are 273 of 365; 1 June itself counts as used.
        quote = house(case(date(2026, 6, 1)))
        assert quote.amount == 11900 * 273 // 365 == 8900
        assert quote.working == (
            Line("paid", 11900),
            Line("days_used", 8900 - 11900, used=92, days=365),
            Line("perks", 0),
            Line("total", 8900),
        )

    def test_takes_the_worth_of_perks_off(self):
        quote = house(case(date(2026, 6, 1), perks_used=1490))
        assert quote.amount == 7410
        assert Line("perks", -1490) in quote.working

    def test_never_goes_below_nothing(self):
        assert house(case(date(2026, 6, 1), perks_used=50000)).amount == 0

    def test_gives_nothing_on_the_last_day(self):
        assert house(case(date(2027, 3, 1))).amount == 0

    def test_gives_no_more_than_is_left(self):
        paid = Paid(ref=1, captured=11900, returned=10000, starts_on=MONDAY, ends_on=date(2027, 3, 2))
        quote = house(case(date(2026, 6, 1), paid))
        assert quote.amount == 1900
        assert sum(line.amount for line in quote.working if line.code != "total") == 1900


class TestGoodwill:
    def test_is_the_amount_that_staff_name_out_of_the_newest_payment(self):
        upgrade = Paid(ref=2, captured=5990, starts_on=MONDAY, ends_on=date(2027, 3, 2))
        assert goodwill(case(MONDAY, GOLD, upgrade), amount=7000).parts == (Part(2, 5990), Part(1, 1010))

    def test_cannot_be_more_than_is_left_or_nothing(self):
        with pytest.raises(TooMuch):
            goodwill(case(MONDAY), amount=11901)
        with pytest.raises(NothingToRefund):
            goodwill(case(MONDAY), amount=0)

    def test_needs_a_reason_and_above_the_limit_another_person(self):
        told = {"limit": 5000, "actor": "staff:1"}
        check_goodwill(amount=5000, reason="late answer", approved_by="", **told)
        check_goodwill(amount=5001, reason="late answer", approved_by="staff:2", **told)
        with pytest.raises(NeedsReason):
            check_goodwill(amount=1, reason="  ", approved_by="", **told)
        for approved_by in ("", "staff:1"):
            with pytest.raises(NeedsSecondPerson):
                check_goodwill(amount=5001, reason="late answer", approved_by=approved_by, **told)


many = settings(max_examples=100, deadline=None)  # a busy machine is no fault of the arithmetic


@st.composite
def payments(draw):
    made = []
    for ref in range(1, draw(st.integers(1, 4)) + 1):
        captured = draw(st.integers(1, 1_000_000))
        returned = draw(st.integers(0, captured))
        disputed = draw(st.integers(0, captured - returned))
        starts = MONDAY + timedelta(days=draw(st.integers(-400, 400)))
        ends = starts + timedelta(days=draw(st.integers(1, 800)))
        paid = {"captured": captured, "returned": returned, "disputed": disputed}
        made.append(Paid(ref=ref, starts_on=starts, ends_on=ends, **paid))
    return tuple(made)


@st.composite
def cases(draw):
    today = MONDAY + timedelta(days=draw(st.integers(-30, 900)))
    used = draw(st.integers(0, 200_000))
    where = draw(st.sampled_from(["EU", "GB", ""]))
    renewed = draw(st.none() | st.just(today - timedelta(days=draw(st.integers(0, 40)))))
    return case(today, *draw(payments()), jurisdiction=where, perks_used=used, renewed_on=renewed)


def holds(quote, asked: Case) -> None:
    left = {paid.ref: paid.left for paid in asked.payments}
    assert all(0 < part.amount <= left[part.ref] for part in quote.parts)
    assert len({part.ref for part in quote.parts}) == len(quote.parts)
    assert quote.working[-1] == Line("total", quote.amount)


class TestEveryQuote:
    @many
    @given(cases())
    def test_of_the_house_lies_between_nothing_and_what_is_left(self, asked):
        quote = house(asked)
        holds(quote, asked)
        assert quote.amount <= sum(paid.left for paid in asked.payments)

    @many
    @given(cases(), st.integers(0, 500_000))
    def test_of_the_house_falls_by_no_more_than_the_perks_used(self, asked, used):
        fields = {name: getattr(asked, name) for name in ("today", "currency", "jurisdiction", "concluded_on")}
        without = house(Case(payments=asked.payments, perks_used=0, **fields)).amount
        less = house(Case(payments=asked.payments, perks_used=used, **fields)).amount
        assert max(0, without - used) <= less <= without

    @many
    @given(cases())
    def test_of_the_house_never_grows_from_one_day_to_the_next(self, asked):
        fields = {name: getattr(asked, name) for name in ("currency", "jurisdiction", "concluded_on", "payments")}
        days = [asked.today + timedelta(days=n) for n in range(3)]
        amounts = [house(Case(today=day, perks_used=asked.perks_used, **fields)).amount for day in days]
        assert amounts == sorted(amounts, reverse=True)

    @many
    @given(cases())
    def test_of_cooling_off_is_all_that_is_left_or_no_quote(self, asked):
        quote = cooling_off(asked)
        if quote is not None:
            holds(quote, asked)
            assert sum(line.amount for line in quote.working[:-1]) == quote.amount

    @many
    @given(cases(), st.integers(1, 2_000_000))
    def test_of_goodwill_is_exact_or_refused(self, asked, amount):
        left = sum(paid.left for paid in asked.payments)
        if amount > left:
            with pytest.raises((TooMuch, NothingToRefund)):
                goodwill(asked, amount=amount)
        else:
            quote = goodwill(asked, amount=amount)
            holds(quote, asked)
            assert quote.amount == amount
