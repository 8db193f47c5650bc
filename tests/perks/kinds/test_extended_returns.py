"""Longer to return: the shop hears for how long, and for which lines."""

import pytest

from perks import kinds
from tests.perks.conftest import basket

COAT = {"id": "1", "sku": "A", "quantity": 1, "unit_amount": 100, "categories": ["coats"]}
SHOE = {"id": "2", "sku": "B", "quantity": 1, "unit_amount": 100, "categories": ["shoes"]}
ON_SALE = {**COAT, "id": "3", "sale": "winter-sale"}


def test_tells_the_window(sold):
    perk = sold("extended_returns", {"days": 60})
    decision = perk.decision(basket())
    assert (decision["effect"], decision["message"]) == ({"target": "returns", "days": 60}, "60 days to return.")
    assert perk.decision()["effect"] == {"target": "returns", "days": 60}
    assert perk.portal()["words"] == "60 days to return"


def test_names_the_lines_it_is_for_where_some_are_excluded(sold):
    perk = sold("extended_returns", {"days": 60, "excluded_categories": ["shoes"], "not_on_sale": True})
    decision = perk.decision(basket(lines=[COAT, SHOE, ON_SALE]))
    assert decision["effect"] == {"target": "returns", "days": 60, "covers": ["1"]}
    assert decision["message"] == "60 days to return the items that qualify."
    assert perk.reason(basket(lines=[SHOE, ON_SALE])) == "item_excluded"


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({}, "“Days” is missing."),
        ({"days": 0}, "“Days”: must be at least 1."),
        ({"days": "soon"}, "“Days”: must be a whole number."),
        ({"days": 60, "weeks": 2}, "“weeks” is not a setting of this kind of perk."),
    ],
)
def test_tells_staff_what_is_wrong_with_its_settings(settings, problem):
    with pytest.raises(kinds.BadSettings) as refused:
        kinds.check("extended_returns", settings)
    assert refused.value.problems == [problem]
