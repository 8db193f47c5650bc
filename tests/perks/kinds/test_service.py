"""Service: a use is booked; the basket matters only where categories are excluded."""

import pytest

from perks import kinds
from perks.models import Redemption
from tests.perks.conftest import basket

ALTERATIONS = {"service": {"en": "Free alterations", "de": "Kostenlose Änderungen"}, "allowance": {"uses": 2}}


def coats(*categories):
    return basket(
        lines=[
            {"id": str(n), "sku": "A", "quantity": 1, "unit_amount": 100, "categories": [category]}
            for n, category in enumerate(categories)
        ]
    )


def test_is_booked_with_or_without_a_basket_and_takes_nothing_off(sold):
    perk = sold("service", ALTERATIONS)
    assert perk.decision()["effect"] == {"target": "service"}
    decision = perk.decision(basket())
    assert (decision["allowed"], decision["uses_left"]) == (True, 2)
    assert decision["totals"]["payable"] == 12900 + 495


def test_speaks_of_itself_in_the_languages_of_the_shop(sold):
    perk = sold("service", ALTERATIONS)
    assert perk.decision()["message"] == "Free alterations: included."
    assert perk.decision(Accept_Language="de")["message"] == "Kostenlose Änderungen: inbegriffen."
    assert perk.portal()["words"] == "Free alterations, 2 times in each membership period"


def test_is_used_up_after_its_allowance_and_there_again_with_the_next_term(sold):
    perk = sold("service", ALTERATIONS)
    perk.use()
    assert perk.decision()["uses_left"] == 1
    perk.use()
    decision = perk.decision()
    assert (decision["reason"], decision["uses_left"], decision["resets_at"]) == ("used_up", 0, None)
    perk.clock.move(days=366)  # the renewal is awaited: its own grant counts from none
    assert perk.decision()["uses_left"] == 2


def test_counts_for_what_staff_set_whatever_it_took_off(sold):
    perk = sold("service", {**ALTERATIONS, "worth": {"fixed": {"EUR": 2500}}, "cost": {"fixed": {"EUR": 1400}}})
    perk.use(basket())
    counted = Redemption.objects.get()
    assert (counted.worth, counted.cost, counted.currency) == (2500, 1400, "EUR")


@pytest.mark.parametrize(
    ("categories", "expected"),
    [(("shoes",), "item_excluded"), (("shoes", "coats"), "granted"), ((), "granted")],
)
def test_is_not_done_to_excluded_goods_alone(sold, categories, expected):
    perk = sold("service", {**ALTERATIONS, "excluded_categories": ["shoes"]})
    assert perk.reason(coats(*categories)) == expected


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({}, "“Service” is missing."),
        ({"service": {"de": "Änderungen"}}, "“Service”: the English words are missing."),
    ],
)
def test_tells_staff_what_is_wrong_with_its_settings(settings, problem):
    with pytest.raises(kinds.BadSettings) as refused:
        kinds.check("service", settings)
    assert refused.value.problems == [problem]
