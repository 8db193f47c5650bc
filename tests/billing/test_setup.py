"""manage.py stripe_setup: run twice through the local Stripe's HTTP door it makes nothing new."""

from __future__ import annotations

import pytest
import stripe

from billing import gateway, setup
from billing.models import StripeAccount, StripePrice
from tests import factories


@pytest.mark.django_db(transaction=True)
class TestPrepare:
    @pytest.fixture
    def over_http(self, live_server) -> stripe.StripeClient:
        return stripe.StripeClient("sk_test_local", base_addresses={"api": f"{live_server.url}/stripe"})

    def test_run_twice_over_http_makes_everything_once(self, over_http):
        for tier in factories.TIERS:
            factories.plan(f"{tier}-year")
        first, second = list(setup.prepare(over_http)), list(setup.prepare(over_http))
        assert len(first) == len(second) == 1 + 3 + 9 + 1 + 1
        assert all(" made" in line for line in first[1:])
        assert not any(" made" in line for line in second)
        assert StripePrice.objects.count() == len(over_http.v1.prices.list({"limit": 100}).data) == 9

    def test_refuses_another_account(self, over_http):
        StripeAccount.objects.create(pk=1, stripe_id="acct_other", first_seen_at=factories.moment("2026-01-01T00:00"))
        with pytest.raises(gateway.WrongAccount):
            list(setup.prepare(over_http))

    def test_makes_a_new_price_when_the_amount_changes(self, over_http):
        plan = factories.plan("gold-year")
        list(setup.prepare(over_http))
        price = plan.prices.get(currency="EUR")
        price.amount = 12900
        price.save()
        assert "price gold-year-eur-12900 made" in list(setup.prepare(over_http))
        assert gateway.read_all(over_http.v1.prices.list, {"lookup_keys": ["gold-year-eur-12900"]})
