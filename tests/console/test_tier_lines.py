"""A manager says what a tier says of itself: previewed, in every language, and read on the plans page."""

from __future__ import annotations

import pytest

from billing import gateway
from membership.models import AuditEntry, Tier
from tests.console import clerks
from tests.perks.conftest import laurel

__all__ = ["laurel"]
pytestmark = pytest.mark.django_db(transaction=True)
AT = "/console/catalogue/tiers/gold/"
SENT = {
    "name": "Gold",
    "line_en": "For who likes to be first",
    "line_de": "Für alle, die gern zuerst da sind",
    "reason": "Spring",
}


@pytest.fixture
def desk(laurel):
    return clerks.at_desk(clerks.hired("manager", "Mara Voss"))


def test_it_is_read_on_the_plans_page_once_it_is_confirmed(desk, client):
    first = desk.post(AT, SENT)
    assert first.context["lines"] == [
        "The plans page says (English): “For who likes to be first”.",
        "The plans page says (German): “Für alle, die gern zuerst da sind”.",
    ]
    assert SENT["line_en"] not in client.get("/plans/").content.decode()
    assert desk.post(AT, SENT | {"confirmed": first.context["mark"]}).status_code == 302
    assert SENT["line_en"] in client.get("/plans/").content.decode()
    assert SENT["line_de"] in client.get("/plans/", headers={"Accept-Language": "de"}).content.decode()
    assert AuditEntry.objects.get(verb="change_tier_lines").data["reason"] == "Spring"
    assert desk.post(AT, SENT).status_code == 422


def test_one_language_alone_is_refused_and_who_came_later_is_shown_anew(desk):
    answer = desk.post(AT, SENT | {"line_de": ""})
    assert (answer.status_code, "Members read it in this language, too." in answer.content.decode()) == (422, True)
    mark = desk.post(AT, SENT).context["mark"]
    Tier.objects.filter(code="gold").update(lines={"en": "Other", "de": "Anders"})
    assert desk.post(AT, SENT | {"confirmed": mark}).status_code == 409
    assert Tier.objects.get(code="gold").lines["en"] == "Other"


def test_a_name_is_told_everywhere_and_at_stripe_and_belongs_to_one_tier(on_sale):
    desk = clerks.at_desk(clerks.hired("manager", "Mara Voss"))
    answer = desk.post(AT, {"name": "Laurel Gold", "reason": "the new house name"})
    assert answer.context["lines"][0] == (
        "“Gold” is called “Laurel Gold” everywhere from now on. What was sent or printed stays."
    )
    sent = {"name": "Laurel Gold", "reason": "the new house name", "confirmed": answer.context["mark"]}
    assert desk.post(AT, sent).status_code == 302
    assert Tier.objects.get(code="gold").name == "Laurel Gold"
    assert gateway.client().v1.products.retrieve("vip-gold").name.endswith("Laurel Gold")
    taken = desk.post(AT, {"name": "silver", "reason": "why not"})
    assert (taken.status_code, "Another tier is called so already." in taken.content.decode()) == (422, True)
