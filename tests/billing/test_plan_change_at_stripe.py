"""Changes of plan that staff make in Stripe's own dashboard, and such a change read again after the end."""

from __future__ import annotations

import pytest

from billing import gateway, sync
from billing.models import Invoice, Operation, Subscription
from membership.models import Membership
from tests.billing.changing import ask, at_stripe, decline, paid, tier
from tests.billing.conftest import mails
from tests.invariants import breached_once_worked_off

pytestmark = pytest.mark.django_db(transaction=True)


class TestAnEndedStay:
    def test_read_again_gives_no_upgrade_back(self, silver, clock):
        """The paid change of plan has bought its tier: it is not money without a place."""
        silver.post(ask(silver))
        Membership.objects.update(status="ended", ended_at=clock.now, end_reason="staff", cut_at=clock.now)
        assert sync.subscription(Subscription.objects.get().stripe_id)
        assert not Operation.objects.filter(kind="refund_misplaced").exists()


class TestInStripesOwnDashboard:
    """Staff may change a subscription there, with whatever it does to the money; the membership follows the money."""

    def change(self, amount: int, **more) -> None:
        api, subscription = gateway.client().v1, at_stripe()
        prices = api.prices.list({"limit": 100, "currency": "eur"}).data
        wanted = next(price.id for price in prices if price.unit_amount == amount)
        item = {"id": subscription.items.data[0].id, "price": wanted}
        api.subscriptions.update(subscription.id, {"items": [item], "proration_behavior": "always_invoice"} | more)

    def test_less_at_once_lowers_the_tier_leaves_credit_and_writes_no_receipt(self, silver, clock, webhooks):
        self.change(2900)
        webhooks()
        assert (tier(clock), paid()) == ("bronze", [5900, 0])
        assert len(mails("receipt")) == 1
        assert breached_once_worked_off() == set()

    def test_better_that_is_not_paid_yet_is_held_once_it_is(self, silver, clock, webhooks):
        good = decline(silver)
        self.change(11900)
        webhooks()
        assert (tier(clock), paid()) == ("silver", [5900])
        owed = Invoice.objects.get(status="open")
        gateway.client().v1.invoices.pay(owed.stripe_id, {"payment_method": good})
        webhooks()
        assert (tier(clock), paid()) == ("gold", [5900, 3000])
        assert breached_once_worked_off() == set()
