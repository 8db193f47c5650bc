"""The concierge's words: true of every allowance, whether the plan is paid by the month, by the year or once."""

from typing import get_args

import pytest
from django.utils import translation

from perks import kinds, members
from perks.allowances import Every
from perks.models import TierPerk
from tests import factories
from tests.perks.conftest import number

PERIODS = {"month": "a month", "quarter": "a quarter", "year": "a calendar year", "term": "in each membership period"}
GERMAN = {"month": "im Monat", "quarter": "im Quartal", "year": "im Kalenderjahr", "term": "je Mitgliedschaftszeitraum"}


def words(every, uses):
    allowance = {"uses": uses, "every": every}
    return members.words("concierge", kinds.check("concierge", {"allowance": allowance}).model_dump(mode="json"))


@pytest.mark.parametrize("every", get_args(Every))
@pytest.mark.parametrize("uses", [1, 12])
def test_name_the_period_it_is_counted_in(every, uses):
    requests = "request" if uses == 1 else "requests"
    told = f"A personal concierge: {uses} {requests} {PERIODS[every]}, first answer within 8 working hours"
    assert words(every, uses) == told
    with translation.override("de"):
        requests = "Anfrage" if uses == 1 else "Anfragen"
        assert f"{uses} {requests} {GERMAN[every]}, erste Antwort" in words(every, uses)


@pytest.mark.parametrize("every", get_args(Every))
@pytest.mark.parametrize("plan", ["gold-month", "gold-year"])
def test_in_the_portal_and_left_uses_are_those_of_the_plan(shop, joined, client, clock, every, plan):
    """A month's plan counts a term's allowance anew each month: no page may speak of a year then."""
    TierPerk.objects.filter(tier__code="gold", perk__code="concierge").update(
        settings={"allowance": {"uses": 3, "every": every}}
    )
    factories.plan("gold-month")
    membership = joined(plan)
    client.force_login(membership.member.user)
    page = client.get("/portal/").content.decode()
    assert f"3 requests {PERIODS[every]}" in page
    assert ("year" in page.partition("A personal concierge")[2].partition(",")[0]) == (every == "year")
    (decision,) = shop.check(member=number(membership), perks=["concierge"])["decisions"]
    assert decision["uses_left"] == 3
    assert "year" not in decision["message"]
