"""The first letter says what one has, what is charged next and when, and how to cancel."""

from __future__ import annotations

import pytest

from perks.models import Perk, TierPerk
from tests.billing.conftest import come_back, go_to_pay, mails, pay

pytestmark = pytest.mark.django_db(transaction=True)


def welcome(visitor) -> str:
    pay(go_to_pay(visitor))
    come_back(visitor)
    [letter] = mails("welcome")
    return letter.text.replace("\xa0", " ")


class TestTheWelcome:
    def test_names_the_day_and_the_price_of_the_renewal_and_the_way_out(self, visitor):
        text = welcome(visitor)
        assert "On 2 March 2027 it renews for € 119.00, charged to the card you paid with." in text
        assert "We write to you before" in text
        assert "/portal/cancel/" in text

    def test_lists_the_perks_in_the_members_language(self, visitor, ada, on_sale):
        perk = Perk.objects.create(code="five", kind="percent_discount", settings={"percent": "5"}, names={"en": "5 %"})
        TierPerk.objects.create(perk=perk, tier=on_sale[-1].tier, settings={})
        ada.user.language = "de"
        ada.user.save()
        text = welcome(visitor)
        assert "Das gehört Ihnen ab heute:\n- " in text
        assert "5 %" in text
