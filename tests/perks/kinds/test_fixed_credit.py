"""Value cheques: one each quarter, off the basket, carried over once or good for some days."""

from datetime import UTC, datetime

import pytest

from perks import kinds
from perks.models import Redemption
from tests.perks.conftest import basket

CHEQUE = {"amount": {"EUR": 1000, "JPY": 1500}}
# The tests' day is 2 March 2026; Ada lives in Amsterdam.


def of(amount, **rest):
    return basket(lines=[{"id": "1", "sku": "A", "quantity": 1, "unit_amount": amount}], **rest)


class TestACheque:
    def test_comes_off_the_basket_and_is_used(self, sold):
        perk = sold("fixed_credit", CHEQUE)
        decision = perk.decision(of(2500))
        assert decision["effect"] == {
            "target": "lines",
            "amount_off": 1000,
            "lines": [{"id": "1", "amount_off": 1000}],
        }
        assert decision["totals"]["payable"] == 2500 - 1000 + 495
        assert decision["message"] == "Your value cheque: €\u00a010 off this basket."
        perk.use(of(2500))
        assert (perk.reason(of(2500)), Redemption.objects.get().worth) == ("used_up", 1000)

    def test_never_takes_more_than_the_goods_cost_and_what_is_left_of_it_is_lost(self, sold):
        perk = sold("fixed_credit", CHEQUE)
        assert perk.decision(of(700))["totals"]["payable"] == 495
        perk.use(of(700))
        assert (perk.reason(of(700)), Redemption.objects.get().worth) == ("used_up", 700)

    def test_takes_what_a_percentage_leaves(self, sold):
        perk = sold("fixed_credit", CHEQUE, code="a-cheque")  # named before standing-discount, and served after it
        asked = {"member": {"number": perk.membership.member.number}, "perks": ["a-cheque", "standing-discount"]}
        totals = perk.shop.check(**asked, basket=of(1010))["totals"]
        assert totals["discount"] == 51 + 959  # 5 % of 1010, half-up; then what is left of the line

    def test_speaks_both_languages(self, sold):
        perk = sold("fixed_credit", CHEQUE)
        assert perk.portal()["words"] == "A value cheque of €\u00a010 / ¥\u00a01,500, once a quarter"
        told = perk.decision(of(2500), Accept_Language="de")["message"]
        assert told == "Ihr Wertscheck: 10\u00a0€ Nachlass auf diesen Warenkorb."

    @pytest.mark.parametrize(
        ("asked", "expected"),
        [
            (None, "nothing_eligible"),
            (basket(lines=[]), "nothing_eligible"),
            (of(2500, currency="USD"), "currency_mismatch"),
            (of(2499), "below_minimum"),
            (of(2500), "granted"),
        ],
    )
    def test_says_why_not(self, sold, asked, expected):
        assert sold("fixed_credit", {**CHEQUE, "minimum_basket": {"EUR": 2500}}).reason(asked) == expected


class TestQuarters:
    def test_bring_a_new_one_at_the_members_midnight(self, sold):
        perk = sold("fixed_credit", CHEQUE)
        perk.use(of(2500))
        assert perk.decision(of(2500))["resets_at"] == "2026-03-31T22:00:00Z"
        perk.clock.move_to(datetime(2026, 3, 31, 21, 59, 59, tzinfo=UTC))
        assert perk.reason(of(2500)) == "used_up"
        perk.clock.move_to(datetime(2026, 3, 31, 22, tzinfo=UTC))
        assert perk.decision(of(2500))["uses_left"] == 1

    def test_carry_an_unused_one_over_once(self, sold):
        perk = sold("fixed_credit", {**CHEQUE, "allowance": {"uses": 1, "every": "quarter", "carry_over": True}})
        assert perk.decision(of(2500))["uses_left"] == 1  # nothing from a quarter in which it was not held
        perk.clock.move_to(datetime(2026, 5, 1, tzinfo=UTC))
        assert perk.decision(of(2500))["uses_left"] == 2
        perk.clock.move_to(datetime(2026, 8, 1, tzinfo=UTC))
        assert perk.decision(of(2500))["uses_left"] == 2  # that of the first quarter is gone
        perk.use(of(2500))
        perk.use(of(2500))
        assert perk.reason(of(2500)) == "used_up"
        perk.clock.move_to(datetime(2026, 11, 1, tzinfo=UTC))
        assert perk.decision(of(2500))["uses_left"] == 1

    def test_carry_over_what_was_not_needed_of_their_own(self, sold):
        perk = sold("fixed_credit", {**CHEQUE, "allowance": {"uses": 1, "every": "quarter", "carry_over": True}})
        perk.clock.move_to(datetime(2026, 5, 1, tzinfo=UTC))
        perk.use(of(2500))  # the one carried over is used first
        perk.clock.move_to(datetime(2026, 8, 1, tzinfo=UTC))
        assert perk.decision(of(2500))["uses_left"] == 2

    def test_end_early_where_it_is_good_for_some_days(self, sold):
        perk = sold("fixed_credit", {**CHEQUE, "good_for_days": 61})  # January, February, and the first two of March
        assert perk.decision(of(2500))["valid_until"] == "2026-03-02T23:00:00Z"
        perk.clock.move_to(datetime(2026, 3, 2, 23, tzinfo=UTC))
        decision = perk.decision(of(2500))
        assert (decision["reason"], decision["opens_at"]) == ("outside_window", "2026-03-31T22:00:00Z")


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({}, "“Sum of one cheque” is missing."),
        ({"amount": {}}, "Name a sum of more than nothing in at least one currency."),
        ({"amount": {"EUR": 0}}, "Name a sum of more than nothing in at least one currency."),
        ({"amount": {"EUR": -5}}, "“Sum of one cheque → EUR”: must be at least 0."),
        (
            {**CHEQUE, "allowance": {"uses": 1}},
            "A value cheque is for a month, a quarter or a year: choose one of these as its period.",
        ),
        (
            {**CHEQUE, "good_for_days": 9, "allowance": {"uses": 1, "every": "month", "carry_over": True}},
            "A cheque either carries over or is good for some days only.",
        ),
    ],
)
def test_tells_staff_what_is_wrong_with_its_settings(settings, problem):
    with pytest.raises(kinds.BadSettings) as refused:
        kinds.check("fixed_credit", settings)
    assert refused.value.problems == [problem]
